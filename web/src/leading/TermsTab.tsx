/** What everybody accepts, how many guardians a child has, and when the rules are looked at again. */
import { useLingui } from "@lingui/react/macro";
import { Choice } from "../components/Choice.tsx";
import { Card } from "./Card.tsx";
import type { TabProps, TermsOf } from "./document.ts";
import { DateField, NameField, NumberField } from "./fields.tsx";
import { WordsFields } from "./WordsFields.tsx";

export function TermsTab({ data, put }: TabProps) {
  const { t } = useLingui();
  const parts: { key: "guardians" | "staff" | "pupils"; title: string }[] = [
    { key: "guardians", title: t`What families accept` },
    { key: "staff", title: t`What staff accept` },
    { key: "pupils", title: t`What pupils sign` },
  ];
  return (
    <>
      <p className="leading-note">{t`Other words need another version. Everybody is then asked again, before anything else.`}</p>
      {parts.map(({ key, title }) => {
        const terms: TermsOf | undefined = data.terms[key];
        return terms ? (
          <Card key={key} title={title}>
            <div className="leading-field">
              <span aria-hidden="true">{t`Version`}</span>
              <NameField
                label={t`Version`}
                value={terms.version}
                onChange={(version) => put(["terms", key, "version"], version)}
              />
            </div>
            <WordsFields
              words={terms.text}
              first={data.school.languages[0]}
              rows={6}
              most={20_000}
              onChange={(text) => put(["terms", key, "text"], text)}
              testId={`terms-${key}`}
            />
          </Card>
        ) : null;
      })}
      <Card title={t`Guardians`}>
        <NumberField
          label={t`At most, for each child`}
          value={data.guardians.per_child}
          most={10}
          onChange={(count) => put(["guardians", "per_child"], count)}
        />
        <Choice
          label={t`One more`}
          value={data.guardians.more}
          options={[
            { value: "on_request", text: t`when somebody approves it` },
            { value: "never", text: t`never` },
          ]}
          onChange={(value) => put(["guardians", "more"], value)}
        />
      </Card>
      <Card title={t`Review`}>
        <div className="leading-field">
          <span aria-hidden="true">{t`These rules are looked at again on`}</span>
          <DateField
            label={t`These rules are looked at again on`}
            value={data.review.next}
            onChange={(next) => put(["review", "next"], next)}
          />
        </div>
      </Card>
    </>
  );
}
