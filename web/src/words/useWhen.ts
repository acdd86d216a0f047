/** Says moments in the reader's words and the school's zone. */
import { useLingui } from "@lingui/react/macro";
import { useSession } from "../session/session.tsx";
import { type Day, dayOf, exactly, timeOf } from "./when.ts";

export type When = {
  zone: string;
  /** "Today", "Yesterday", "Friday", "3 May". */
  day(at: string): string;
  time(at: string): string;
  /** For a list: the time today, else the day. */
  brief(at: string): string;
  /** The time today, else the day and the time. */
  moment(at: string): string;
  /** Always the day and the time, as a part of a sentence, for what is still to come: "Monday 08:00", "tomorrow 08:00". */
  ahead(at: string): string;
  exact(at: string): string;
};

export function useWhen(): When {
  const { t, i18n } = useLingui();
  const { member } = useSession();
  const zone = member?.school.zone ?? "UTC";
  const now = Date.now();
  const said = (day: Day): string => {
    if (day.kind === "today") return t`Today`;
    if (day.kind === "yesterday") return t`Yesterday`;
    if (day.kind === "tomorrow") return t`Tomorrow`;
    return day.text;
  };
  const dayAt = (at: string) => dayOf(at, now, zone, i18n.locale);
  return {
    zone,
    day: (at) => said(dayAt(at)),
    time: (at) => timeOf(at, zone),
    brief: (at) => (dayAt(at).kind === "today" ? timeOf(at, zone) : said(dayAt(at))),
    moment: (at) => (dayAt(at).kind === "today" ? timeOf(at, zone) : `${said(dayAt(at))} ${timeOf(at, zone)}`),
    ahead: (at) => {
      const day = dayAt(at);
      const time = timeOf(at, zone);
      if (day.kind === "today") return t`today ${time}`;
      if (day.kind === "tomorrow") return t`tomorrow ${time}`;
      return `${insideASentence(said(day), i18n.locale)} ${time}`;
    },
    exact: (at) => exactly(at, zone, i18n.locale),
  };
}

/** English writes its weekdays large everywhere; others only where a sentence begins. */
function insideASentence(day: string, language: string): string {
  return language === "en" ? day : day.charAt(0).toLocaleLowerCase(language) + day.slice(1);
}
