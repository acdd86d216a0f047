/** What a role is called by the people who have it. */
import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Role } from "../data/types.ts";

export const roleNames: Record<Role, MessageDescriptor> = {
  guardian: msg`Guardian`,
  pupil: msg`Pupil`,
  teacher: msg`Teacher`,
  assistant: msg`Teaching assistant`,
  specialist: msg`Specialist teacher`,
  leader: msg`School leader`,
  safeguarding: msg`Safeguarding lead`,
  office: msg`School office`,
};

/** The header's line: in which role the person acts. */
export const actingAs: Record<Role, MessageDescriptor> = {
  guardian: msg`as Guardian`,
  pupil: msg`as Pupil`,
  teacher: msg`as Teacher`,
  assistant: msg`as Teaching assistant`,
  specialist: msg`as Specialist teacher`,
  leader: msg`as School leader`,
  safeguarding: msg`as Safeguarding lead`,
  office: msg`as School office`,
};

/** In the order a list of people is shown. */
export const roleOrder: readonly Role[] = [
  "teacher",
  "guardian",
  "assistant",
  "specialist",
  "office",
  "leader",
  "safeguarding",
  "pupil",
];
