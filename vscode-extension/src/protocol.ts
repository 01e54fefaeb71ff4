// Made by scripts/generate_protocol.py from server/agentinfra_server/protocol/messages.py.
export const VERSION = 1;

/**
 * A code action that went on by itself; "interrupted" died with its server, and can be asked for again.
 */
export interface ActionItem {
  id: string;
  title: string;
  state: "working" | "done" | "failed" | "stopped" | "interrupted";
  reason?: string;
}

/**
 * Limits of a run; one that is left out is the default.
 */
export interface Budget {
  minutes?: number | null;
  usd?: number | null;
  tokens?: number | null;
  requests?: number | null;
}

/**
 * What a person decides about finished work; without tasks about all of it.
 */
export interface ChangeDecideParams {
  runId: string;
  decision: "accept" | "reject" | "undo" | "redo";
  taskIds?: Array<string>;
  folder?: string | null;
}

/**
 * The commit that came of it, and the tasks that it took along.
 */
export interface ChangeDecideResult {
  commit: string;
  taskIds?: Array<string>;
}

/**
 * What a person does not want of a task's commit; all else stays.
 *
 * Attributes:
 *     run_id: The run.
 *     task_id: The task.
 *     rejected: Lines to take back on the run's branch; the tests must pass without them.
 *     comments: With any, the task is taken off the branch and done again; its models are told all of the review.
 *     force: Take lines back whatever the tests say.
 *     folder: URI of the workspace folder; the first one where it is left out.
 */
export interface ChangeReviewParams {
  runId: string;
  taskId: string;
  rejected?: Array<RejectedHunk>;
  comments?: Array<ReviewComment>;
  force?: boolean;
  folder?: string | null;
}

/**
 * What came of it.
 *
 * Attributes:
 *     commit: The branch's new commit; "" where nothing was changed.
 *     failing: Tests that fail without the lines; unless it was forced, nothing was changed because of them.
 *     task_ids: Tasks that are to be done again now.
 */
export interface ChangeReviewResult {
  commit: string;
  failing?: Array<string>;
  taskIds?: Array<string>;
}

/**
 * A file that a task's commit changed.
 */
export interface ChangeShowParams {
  commit: string;
  path: string;
  folder?: string | null;
}

/**
 * The file before and after the commit, "" where it was not there, and its hunks, for ``change/review``.
 */
export interface ChangeShowResult {
  before: string;
  after: string;
  hunks?: Array<HunkItem>;
}

/**
 * Something that the review found; ``line`` counts from 1.
 */
export interface FindingItem {
  id: string;
  severity: string;
  rule: string;
  path: string;
  line: number;
  message: string;
}

/**
 * Lines that differ, numbered from 1; lines count from 0, ends are left out, and either side may be empty.
 */
export interface HunkItem {
  number: number;
  beforeStart: number;
  beforeEnd: number;
  afterStart: number;
  afterEnd: number;
}

/**
 * Which folder's index; the first one's where it is left out.
 */
export interface IndexGetParams {
  folder?: string | null;
}

/**
 * How far the index of a folder is.
 *
 * Attributes:
 *     folder: URI of the folder.
 *     state: "off" until something is looked for; "trouble" where it is not kept up to date.
 *     done: Files that were looked at.
 *     total: Files that there are.
 *     message: What keeps it from being up to date, or how it is kept so; "" for nothing of note.
 */
export interface IndexStatus {
  folder: string;
  state: "off" | "indexing" | "fresh" | "trouble";
  done?: number;
  total?: number;
  message?: string;
}

/**
 * What the person said; ``used_by`` are the tasks whose models were told, none while it waits.
 */
export interface InstructionItem {
  id: string;
  text: string;
  when: string;
  taskId: string;
  usedBy: Array<string>;
}

/**
 * A piece of an answer; numbers of a request grow.
 */
export interface LmChunk {
  requestId: string;
  seq: number;
  part: Record<string, unknown>;
}

/**
 * A text to count as the model does.
 */
export interface LmCountParams {
  selector: Record<string, unknown>;
  text: string;
}

/**
 * Its tokens.
 */
export interface LmCountResult {
  count: number;
}

/**
 * A request to one of the client's models; see docs/reference/models-client.md.
 */
export interface LmRequestParams {
  requestId: string;
  selector: Record<string, unknown>;
  messages: Array<Record<string, unknown>>;
  maxInputTokens: number;
  justification: string;
  tools?: Array<Record<string, unknown>> | null;
  toolMode?: string | null;
  modelOptions?: Record<string, unknown> | null;
}

/**
 * The whole answer; ``content`` counts only where no chunk came.
 */
export interface LmResult {
  model?: string;
  content?: Array<Record<string, unknown>>;
  stopReason?: string;
  usage?: Record<string, unknown> | null;
}

/**
 * A model that can be chosen.
 *
 * Attributes:
 *     id: ``provider:model``.
 *     source: Where it runs.
 *     licence: SPDX name of an embedded model's licence; empty for others.
 *     size_bytes: Of an embedded model's file; 0 for others.
 *     is_here: Whether it can be asked at once; the first run fetches it otherwise.
 */
export interface ModelInfo {
  id: string;
  source: "api" | "local";
  licence?: string;
  sizeBytes?: number;
  isHere?: boolean;
}

/**
 * All that this machine and the environment's keys have; the client knows its own.
 */
export interface ModelsListParams {
}

/**
 * The models, the preferred ones first; the embedded one that is advised comes last where it is not here yet.
 */
export interface ModelsListResult {
  models: Array<ModelInfo>;
}

/**
 * A question without an answer.
 */
export interface OpenQuestion {
  id: string;
  text: string;
  why: string;
  options: Array<string>;
  recommended: string;
}

/**
 * Exactly what an agent wants to do; silence denies.
 */
export interface PermissionParams {
  runId: string;
  title: string;
  detail: string;
}

/**
 * Whether it may.
 */
export interface PermissionResult {
  outcome: "allow" | "deny";
}

/**
 * What a person says of a specification; ``spec_sha`` is the hash of the body that they saw.
 */
export interface PlanDecideParams {
  runId: string;
  decision: "approve" | "reject";
  specSha: string;
  folder?: string | null;
}

/**
 * Whether the run was waiting for it.
 */
export interface PlanDecideResult {
  state: string;
}

/**
 * A question to the person; ``kind`` "approve" is about the specification at ``uri``.
 */
export interface QuestionParams {
  runId: string;
  questionId: string;
  kind: "question" | "approve";
  message: string;
  why?: string;
  options?: Array<string>;
  recommended?: string;
  uri?: string | null;
  specSha?: string | null;
}

/**
 * The answer; ``cancel`` leaves the question open.
 */
export interface QuestionResult {
  action: "accept" | "decline" | "cancel";
  content?: string;
}

/**
 * A hunk of a task's commit, by its number in ``change/show``.
 */
export interface RejectedHunk {
  path: string;
  hunk: number;
}

/**
 * What is said of a line of the commit's file; lines count from 0.
 */
export interface ReviewComment {
  path: string;
  line: number;
  text: string;
}

/**
 * Stop a run, or go on with it where it was.
 */
export interface RunControlParams {
  runId: string;
  action: "stop" | "resume";
  folder?: string | null;
}

/**
 * The run's state now.
 */
export interface RunControlResult {
  state: string;
}

/**
 * How a run that this server worked on ended; the texts are "" unless an error ended it.
 */
export interface RunEnded {
  runId: string;
  code: number;
  message?: string;
  why?: string;
  next?: string;
}

/**
 * An event of a run, as it is in the log; ``time`` is Unix seconds.
 */
export interface RunEvent {
  seq: number;
  time: number;
  kind: string;
  agent: Array<string>;
  data: Record<string, unknown>;
}

/**
 * Which run, and from which event on; without a run all runs are listed.
 *
 * Attributes:
 *     run_id: The run.
 *     folder: URI of the workspace folder; the first one where it is left out.
 *     since_seq: Number of the last event that the client has.
 *     limit: The most events to send.
 */
export interface RunGetParams {
  runId?: string | null;
  folder?: string | null;
  sinceSeq?: number;
  limit?: number;
}

/**
 * A run's events behind ``sinceSeq``, or all runs.
 *
 * Attributes:
 *     state: State of the run, "" where there is no such run or all are listed.
 *     events: At most ``limit`` events; ask again from the last of them where there are more.
 *     last_seq: Number of the newest event of the run.
 *     runs: All runs, oldest first.
 *     actions: With the runs: the newest code actions that went on by themselves, oldest first.
 */
export interface RunGetResult {
  state?: string;
  events?: Array<RunEvent>;
  lastSeq?: number;
  runs?: Array<RunSummary>;
  actions?: Array<ActionItem>;
}

/**
 * A person's words to the models of a run that is not over.
 *
 * Attributes:
 *     run_id: The run.
 *     text: The words, at most 2,000 characters.
 *     task_id: The task that they are for; all at work and to come where it is left out.
 *     when: "next" puts them in front of the next requests; "now" withdraws the one that is being answered, too.
 *     folder: URI of the workspace folder; the first one where it is left out.
 */
export interface RunSendParams {
  runId: string;
  text: string;
  taskId?: string | null;
  when?: "next" | "now";
  folder?: string | null;
}

/**
 * The id of the message, and how many wait, this one included.
 */
export interface RunSendResult {
  messageId: string;
  position: number;
}

/**
 * What to build, how, and how freely.
 *
 * Attributes:
 *     prompt: The idea in the person's words; ignored for the kind "change".
 *     folder: URI of the workspace folder; the first one where it is left out.
 *     kind: "plan" builds the idea, "change" what a person's edit of an accepted spec.md asks for.
 *     mode: How far the run may go without asking.
 *     model: ``provider:model``; the settings' or the best that there is where it is left out.
 *     budget: Its limits.
 *     initialize: Make the folder a git repository where it is none; the person is asked first where files lie in it.
 *     planner: ``module:Class`` of the workspace's own planner; needs the workspace's trust.
 *     replay: URI of a record to play instead of asking a model.
 */
export interface RunStartParams {
  prompt?: string;
  folder?: string | null;
  kind?: "plan" | "change";
  mode?: "plan" | "review" | "auto-edit" | "unattended";
  model?: string | null;
  budget?: Budget;
  initialize?: boolean;
  planner?: string | null;
  replay?: string | null;
}

/**
 * The run, as soon as there is one; it goes on by itself.
 */
export interface RunStartResult {
  runId: string;
}

/**
 * A run in a list; ``is_live`` says whether this server works on it now.
 */
export interface RunSummary {
  runId: string;
  state: string;
  idea: string;
  isLive?: boolean;
}

/**
 * New events of a run, in order, at most ten times a second; a gap in ``seq`` is filled by ``run/get``.
 *
 * ``view`` is the run after them, with the tasks that they changed.
 */
export interface RunUpdate {
  runId: string;
  folder: string;
  state: string;
  events: Array<RunEvent>;
  view: RunView;
}

/**
 * A run as it is shown: all that a panel needs, so that no client adds events up.
 *
 * Attributes:
 *     run_id: The run.
 *     folder: URI of the workspace folder.
 *     seq: Number of the last event that is part of it.
 *     state: As in ``run/get``.
 *     reason: Why it is in this state.
 *     title: The specification's title, "" before there is one.
 *     idea: What was asked for.
 *     model: ``provider:model``.
 *     branch: Where its work lies.
 *     spec_uri: The specification that waits or was approved, null before there is one.
 *     spec_sha: Its hash.
 *     is_live: Whether this server works on it now.
 *     decision: What the person did with all of it: "accepted", "rejected", "undone", or "".
 *     elapsed: Active seconds.
 *     tokens: Tokens that models read and wrote.
 *     cost_usd: What that cost; null where a price is unknown.
 *     limit_usd: The budget; null for none.
 *     questions: Those without an answer.
 *     findings: What the review found.
 *     tasks: All tasks in ``run/view``, those that changed in ``run/update``.
 *     task_ids: All tasks' ids, in the plan's order.
 *     instructions: What the person has said to the tasks, oldest first.
 */
export interface RunView {
  runId: string;
  folder: string;
  seq: number;
  state: string;
  reason: string;
  title: string;
  idea: string;
  model: string;
  branch: string;
  specUri: string | null;
  specSha: string;
  isLive: boolean;
  decision: string;
  elapsed: number;
  tokens: number;
  costUsd: number | null;
  limitUsd: number | null;
  questions: Array<OpenQuestion>;
  findings: Array<FindingItem>;
  tasks: Array<TaskItem>;
  taskIds: Array<string>;
  instructions?: Array<InstructionItem>;
}

/**
 * Which run; the newest of the folder where it is left out.
 */
export interface RunViewParams {
  runId?: string | null;
  folder?: string | null;
}

/**
 * A piece of a file; lines count from 0, the last one is included; a higher score is better.
 */
export interface SearchHit {
  uri: string;
  startLine: number;
  endLine: number;
  symbol: string;
  kind: string;
  text: string;
  score: number;
}

/**
 * A question, a piece of code, or a name; ``paths`` is a pattern such as ``src/*.py``.
 *
 * Attributes:
 *     query: What to look for.
 *     folder: URI of the workspace folder; the first one where it is left out.
 *     limit: The most hits, 1 to 100.
 *     paths: Only files that fit.
 */
export interface SearchParams {
  query: string;
  folder?: string | null;
  limit?: number;
  paths?: string | null;
}

/**
 * What was found, the best first; ``state`` is that of the index: all was looked at where it is "fresh".
 */
export interface SearchResult {
  hits: Array<SearchHit>;
  state: "off" | "indexing" | "fresh" | "trouble";
}

/**
 * The name of a secret, such as ``OPENAI_API_KEY``.
 */
export interface SecretParams {
  name: string;
}

/**
 * Its value, kept in memory only; null where there is none.
 */
export interface SecretResult {
  value?: string | null;
}

/**
 * A task as it is shown; see ``TaskView`` of ``agentinfra/workflow/run_state.py``.
 *
 * Attributes:
 *     id: ``T-1``, ``T-2``, …
 *     title: One line.
 *     state: Its state, as in tasks.md.
 *     engineer: Who owns it.
 *     requirements: Ids of its requirements.
 *     files: Files that it claims, relative to the folder.
 *     depends_on: Ids of the tasks before it.
 *     attempt: Number of the attempt at work, from 1; 0 before the first.
 *     max_attempts: How many there may be; 0 if nobody said.
 *     reason: Why it is in this state, "" if that is plain.
 *     passed: Tests of its last run that passed.
 *     failed: Those that did not.
 *     red: Ids of the tests that failed before there was code.
 *     green: Ids of the tests that passed with it.
 *     commit: The commit it was merged with, "" for none.
 *     undone: Whether it was done and then taken off the branch.
 *     tokens: Tokens that models read and wrote for it.
 *     seconds: Time of its model calls and test runs.
 *     retries: How often a person has had it, or a task that it needs, done again.
 */
export interface TaskItem {
  id: string;
  title: string;
  state: string;
  engineer: string;
  requirements: Array<string>;
  files: Array<string>;
  dependsOn: Array<string>;
  attempt: number;
  maxAttempts: number;
  reason: string;
  passed: number;
  failed: number;
  red: Array<string>;
  green: Array<string>;
  commit: string;
  undone: boolean;
  tokens: number;
  seconds: number;
  retries?: number;
}

/**
 * A blocked, cancelled or undone task, to be done again with all its tries; ``note`` is told to its models.
 */
export interface TaskRetryParams {
  runId: string;
  taskId: string;
  note?: string;
  folder?: string | null;
}

/**
 * All tasks of the run that are to be done again now: also those that were skipped because of it.
 */
export interface TaskRetryResult {
  taskIds: Array<string>;
}

/**
 * The person trusts the workspace now.
 */
export interface TrustGranted {
}

export interface ClientRequests {
  "agentinfra/run/start": { params: RunStartParams; result: RunStartResult };
  "agentinfra/run/get": { params: RunGetParams; result: RunGetResult };
  "agentinfra/run/view": { params: RunViewParams; result: RunView };
  "agentinfra/run/control": { params: RunControlParams; result: RunControlResult };
  "agentinfra/run/send": { params: RunSendParams; result: RunSendResult };
  "agentinfra/task/retry": { params: TaskRetryParams; result: TaskRetryResult };
  "agentinfra/plan/decide": { params: PlanDecideParams; result: PlanDecideResult };
  "agentinfra/change/decide": { params: ChangeDecideParams; result: ChangeDecideResult };
  "agentinfra/change/show": { params: ChangeShowParams; result: ChangeShowResult };
  "agentinfra/change/review": { params: ChangeReviewParams; result: ChangeReviewResult };
  "agentinfra/models/list": { params: ModelsListParams; result: ModelsListResult };
  "agentinfra/search": { params: SearchParams; result: SearchResult };
  "agentinfra/index/get": { params: IndexGetParams; result: IndexStatus };
}

export interface ClientNotifications {
  "agentinfra/lm/chunk": { params: LmChunk };
  "agentinfra/trust/granted": { params: TrustGranted };
}

export interface ServerRequests {
  "agentinfra/question/ask": { params: QuestionParams; result: QuestionResult };
  "agentinfra/permission/request": { params: PermissionParams; result: PermissionResult };
  "agentinfra/secret/get": { params: SecretParams; result: SecretResult };
  "agentinfra/lm/request": { params: LmRequestParams; result: LmResult };
  "agentinfra/lm/countTokens": { params: LmCountParams; result: LmCountResult };
}

export interface ServerNotifications {
  "agentinfra/run/update": { params: RunUpdate };
  "agentinfra/run/ended": { params: RunEnded };
  "agentinfra/index/update": { params: IndexStatus };
}
