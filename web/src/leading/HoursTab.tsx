/** When staff work, when lessons are given, and when a phone may ring. */
import { useLingui } from "@lingui/react/macro";
import { Choice } from "../components/Choice.tsx";
import { Card } from "./Card.tsx";
import type { TabProps } from "./document.ts";
import { HoursEditor } from "./HoursEditor.tsx";

export function HoursTab({ data, put }: TabProps) {
  const { t } = useLingui();
  const staff = data.staff.hours;
  return (
    <>
      <Card title={t`Staff work`}>
        <p className="leading-note">{t`In term time, on days that are not closed. Answers promised in working days count these days.`}</p>
        <HoursEditor
          name={t`Staff work`}
          value={staff}
          named={[]}
          staff={staff}
          onChange={(hours) => put(["staff", "hours"], hours)}
          testId="staff-hours"
        />
      </Card>
      <Card title={t`Lessons`}>
        <HoursEditor
          name={t`Lessons are given`}
          value={data.lessons.hours}
          named={["never"]}
          staff={staff}
          onChange={(hours) => put(["lessons", "hours"], hours)}
          testId="lesson-hours"
        />
      </Card>
      <Card title={t`Staff and their phones`}>
        <HoursEditor
          name={t`Staff may come in`}
          value={data.staff.access.hours}
          named={["always", "staff"]}
          staff={staff}
          onChange={(hours) => put(["staff", "access", "hours"], hours)}
          testId="access-hours"
        />
        <HoursEditor
          name={t`Phones of staff may ring`}
          value={data.staff.notifications.hours}
          named={["staff", "always"]}
          staff={staff}
          onChange={(hours) => put(["staff", "notifications", "hours"], hours)}
          testId="ring-hours"
        />
        <Choice
          label={t`While somebody teaches`}
          value={data.staff.notifications.in_lessons}
          options={[
            { value: "silent", text: t`their phone is silent` },
            { value: "ring", text: t`their phone may ring` },
          ]}
          onChange={(value) => put(["staff", "notifications", "in_lessons"], value)}
        />
      </Card>
    </>
  );
}
