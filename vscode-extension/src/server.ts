/** The language server: started when it is first needed, and spoken to by typed messages alone. */
import * as vscode from "vscode";
import type { LanguageClient, StaticFeature } from "vscode-languageclient/node";
import {
  VERSION,
  type ClientNotifications,
  type ClientRequests,
  type ServerNotifications,
  type ServerRequests,
} from "./protocol";

const OURS: StaticFeature = {
  fillClientCapabilities(capabilities) {
    const parts = { questions: true, permissions: true, secrets: true, models: true, updates: true, trust: true };
    capabilities.experimental = { agentinfra: { version: VERSION, ...parts } };
  },
  initialize() {},
  getState: () => ({ kind: "static" }),
  clear() {},
};

/** Of everything in the extension this takes longest to load: it is loaded with the first start of the server. */
const loaded = () => import("vscode-languageclient/node");
type Client = Awaited<ReturnType<typeof loaded>>;

export type State = "starting" | "ready" | "stopped";

/** Tells the server what cannot be done; its code says why. */
export class Refusal extends Error {
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

export class Server implements vscode.Disposable {
  private readonly state = new vscode.EventEmitter<State>();
  /** Fires each time that a server process begins to start, is ready, or is gone. */
  readonly onState = this.state.event;
  private readonly started = new vscode.EventEmitter<void>();
  /** Fires each time that a server process is ready, also after a crash. */
  readonly onStarted = this.started.event;
  readonly log = vscode.window.createOutputChannel("AgentInfra", { log: true });
  /** What was started, and how it is. */
  readonly about = { command: [] as string[], state: "stopped" as State, version: "" };
  private client: LanguageClient | undefined;
  private starting: Promise<LanguageClient> | undefined;
  private readonly heard = new Map<string, vscode.EventEmitter<unknown>>();
  private readonly wiring: Array<(client: LanguageClient, of: Client) => void> = [];
  /** Says which command starts the server. */
  command: () => Promise<string[]> = () => Promise.reject(new Error("no command"));

  /** Answers a request of the server. */
  onRequest<M extends keyof ServerRequests>(
    method: M,
    answer: (params: ServerRequests[M]["params"], token: vscode.CancellationToken) => Promise<ServerRequests[M]["result"]>,
  ): void {
    this.wiring.push((client, { ResponseError }) => {
      client.onRequest<unknown, void>(method, (params: ServerRequests[M]["params"], token) =>
        answer(params, token).catch((error: unknown) => {
          throw error instanceof Refusal ? new ResponseError(error.code, error.message) : error;
        }),
      );
    });
  }

  /** Heeds a notification of the server. */
  onNotification<M extends keyof ServerNotifications>(
    method: M,
    heed: (params: ServerNotifications[M]["params"]) => void,
  ): void {
    const heard = this.heard.get(method);
    const emitter = heard ?? new vscode.EventEmitter<unknown>();
    emitter.event((params) => heed(params as ServerNotifications[M]["params"]));
    if (heard === undefined) {
      this.heard.set(method, emitter);
      this.wiring.push((client) => void client.onNotification(method, (params: unknown) => emitter.fire(params)));
    }
  }

  /** Asks the server, which is started where it does not run. */
  async request<M extends keyof ClientRequests>(
    method: M,
    params: ClientRequests[M]["params"],
  ): Promise<ClientRequests[M]["result"]> {
    return (await this.running()).sendRequest<ClientRequests[M]["result"]>(method, params);
  }

  /** Tells the server something; nobody hears it where none runs. */
  async notify<M extends keyof ClientNotifications>(method: M, params: ClientNotifications[M]["params"]): Promise<void> {
    await this.client?.sendNotification(method, params);
  }

  /** Starts it, unless it runs. */
  async ready(): Promise<void> {
    await this.running();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.running();
  }

  dispose(): void {
    void this.stop();
    this.log.dispose();
  }

  private running(): Promise<LanguageClient> {
    this.starting ??= this.start().catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  private async start(): Promise<LanguageClient> {
    const [command = "", ...args] = await this.command();
    const options = { env: { ...process.env, PYTHONUNBUFFERED: "1", PYTHONSAFEPATH: "1" } };
    this.about.command = [command, ...args];
    const of = await loaded();
    const client = new of.LanguageClient(
      "agentinfra",
      "AgentInfra",
      { command, args, options },
      {
        documentSelector: [{ scheme: "file" }, { scheme: "untitled" }],
        initializationOptions: () => ({ trusted: vscode.workspace.isTrusted }),
        outputChannel: this.log,
      },
    );
    client.registerFeature(OURS);
    for (const wire of this.wiring) {
      wire(client, of);
    }
    client.onDidChangeState(({ newState }) => {
      const { Starting, Running } = of.State;
      this.about.state = newState === Running ? "ready" : newState === Starting ? "starting" : "stopped";
      this.about.version = client.initializeResult?.serverInfo?.version ?? "";
      this.state.fire(this.about.state);
      if (newState === Running) {
        this.started.fire();
      }
    });
    this.client = client;
    await client.start();
    return client;
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = this.starting = undefined;
    await client?.dispose();
  }
}

/** What an error of the server, or of its start, says to a person. */
export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
