/** The places of the bottom bar and of the rail; only those that exist. There is room for five. */
import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { IconName } from "../components/Icon.tsx";

export type Place = { to: string; name: MessageDescriptor; icon: IconName; counts: "unread" | null };

export const places: readonly Place[] = [
  { to: "/threads", name: msg`Messages`, icon: "messages", counts: "unread" },
  { to: "/more", name: msg`More`, icon: "more", counts: null },
];
