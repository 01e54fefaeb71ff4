// A language model for tests: it answers what a test has told it to, and remembers what it was asked.
const vscode = require("vscode");

exports.activate = () => {
  const parrot = { asked: [], cancelled: 0, answer: () => ["nothing"] };
  const limits = { maxInputTokens: 8000, maxOutputTokens: 2000 };
  const model = { id: "parrot-1", name: "Parrot", family: "parrot", version: "1", ...limits, capabilities: {} };
  vscode.lm.registerLanguageModelChatProvider("tests", {
    provideLanguageModelChatInformation: () => [model],
    provideTokenCount: (_model, text) => String(text).length,
    async provideLanguageModelChatResponse(_model, messages, _options, progress, token) {
      parrot.asked.push(JSON.stringify(messages));
      token.onCancellationRequested(() => parrot.cancelled++);
      for (const piece of await parrot.answer(token)) {
        progress.report(new vscode.LanguageModelTextPart(piece));
      }
    },
  });
  return parrot;
};
