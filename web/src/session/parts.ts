/** What the session stands on in a browser or a test, and what it shows of itself. */
import type { Send } from "../api/client.ts";
import type { Membership } from "../api/schema.ts";
import type { Demo, SessionState } from "../data/types.ts";
import type { Workspace } from "../data/workspace.ts";
import type { Clock } from "./clock.ts";
import type { Closed } from "./closing.ts";
import type { Slots } from "./remembered.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Turns } from "./turns.ts";

export type Parts = {
  origin: string;
  send: Send;
  clock: Clock;
  turns: Turns;
  surroundings: Surroundings;
  slots: Slots;
  /** Deletes what the service worker holds beside the shell. */
  forgetCaches(): Promise<void>;
  random?: () => number;
};

export type Snapshot = {
  state: SessionState;
  member: Membership | null;
  memberships: Membership[];
  demo: Demo | null;
  problem: string | null;
  closed: Closed | null;
  workspace: Workspace | null;
};

export const nobodyYet: Snapshot = {
  state: "starting",
  member: null,
  memberships: [],
  demo: null,
  problem: null,
  closed: null,
  workspace: null,
};
