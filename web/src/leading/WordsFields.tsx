/** The same words in each language the school writes them in, and a way to write them in one more. */
import { useLingui } from "@lingui/react/macro";
import { Choice } from "../components/Choice.tsx";
import { IconButton } from "../components/IconButton.tsx";
import { LANGUAGES } from "../words/languages.ts";
import type { Words } from "./document.ts";

export function WordsFields(props: {
  words: Words;
  first: string | undefined;
  rows: number;
  most: number;
  onChange(words: Words): void;
  testId: string;
}) {
  const { t } = useLingui();
  const { words, first, onChange, testId } = props;
  const written = Object.entries(words).map(([tag, text]) => ({
    tag,
    text,
    name: LANGUAGES.find((each) => each.tag === tag)?.autonym ?? tag,
  }));
  const others = LANGUAGES.filter((each) => !(each.tag in words));
  return (
    <>
      {written.map((each) => (
        <div className="leading-field leading-wide" key={each.tag}>
          <span className="leading-words-head">
            <bdi>{each.name}</bdi>
            {each.tag !== first && (
              <IconButton
                icon="close"
                label={t`Take ${each.name} away`}
                onPress={() => onChange(Object.fromEntries(Object.entries(words).filter(([tag]) => tag !== each.tag)))}
              />
            )}
          </span>
          <textarea
            className="leading-text"
            aria-label={each.name}
            lang={each.tag}
            dir="auto"
            rows={props.rows}
            maxLength={props.most}
            value={each.text}
            data-testid={`${testId}-${each.tag}`}
            onChange={(event) => onChange({ ...words, [each.tag]: event.target.value })}
          />
        </div>
      ))}
      {others.length > 0 && (
        <Choice
          label={t`In another language`}
          value=""
          options={[
            { value: "", text: t`Choose one` },
            ...others.map(({ tag, autonym }) => ({ value: tag, text: autonym })),
          ]}
          onChange={(tag) => tag && onChange({ ...words, [tag]: "" })}
          data-testid={`${testId}-more`}
        />
      )}
    </>
  );
}
