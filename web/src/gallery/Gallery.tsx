/** Every component in every state on one page; only in development, in English. */
import { type ReactNode, useState } from "react";
import { Avatar } from "../components/Avatar.tsx";
import { Button } from "../components/Button.tsx";
import { Choice } from "../components/Choice.tsx";
import { Composer } from "../components/Composer.tsx";
import { Empty } from "../components/Empty.tsx";
import { Icon, type IconName, Satchel } from "../components/Icon.tsx";
import { IconButton } from "../components/IconButton.tsx";
import { MessageBubble } from "../components/MessageBubble.tsx";
import { Notice } from "../components/Notice.tsx";
import { SearchField } from "../components/SearchField.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { TextField } from "../components/TextField.tsx";
import { ThreadRow } from "../components/ThreadRow.tsx";
import { LiveWords } from "../frame/LiveStrip.tsx";
import { bubbles, threads } from "./examples.ts";
import "./gallery.css";

const icons: IconName[] = ["messages", "more", "back", "forward", "info", "plus", "search", "down", "close", "warning"];
const languages = [
  { value: "en", text: "English", language: "en" },
  { value: "ar", text: "العربية", language: "ar" },
];

export default function Gallery() {
  const [text, setText] = useState("Maya has a temperature and will not come on Monday");
  return (
    <main className="gallery">
      <h1>Gallery</h1>
      <Piece name="Mark and icons">
        <Satchel />
        <Satchel large />
        {icons.map((name) => (
          <Icon key={name} name={name} />
        ))}
      </Piece>
      <Piece name="Button">
        {(["primary", "soft", "plain", "quiet", "danger"] as const).map((look) => (
          <span key={look} className="gallery-pair">
            <Button look={look}>Send to Ms Hughes</Button>
            <Button look={look} isDisabled>
              Send to Ms Hughes
            </Button>
          </span>
        ))}
        <Button look="primary" wide>
          Wide
        </Button>
      </Piece>
      <Piece name="IconButton">
        <IconButton icon="info" label="About" />
        <IconButton icon="info" label="About, open" aria-expanded />
      </Piece>
      <Piece name="Avatar">
        <Avatar name="Ms Jane Hughes" />
        <Avatar name="مايا حداد" large />
      </Piece>
      <Piece name="TextField">
        <TextField label="E-mail address" help="The one the school knows" />
        <TextField
          label="E-mail address"
          defaultValue="ana@"
          error="Write the whole address, such as ana@example.org."
        />
        <TextField label="E-mail address" defaultValue="ana@example.org" isDisabled />
      </Piece>
      <Piece name="SearchField">
        <SearchField label="Find a child" placeholder="Name of a child" clear="Empty" />
        <SearchField label="Find a child, filled" placeholder="Name of a child" clear="Empty" defaultValue="May" />
      </Piece>
      <Piece name="Choice">
        <Choice label="Your language" value="en" options={languages} onChange={() => {}} help="Messages come in it." />
        <Choice label="Your language, refused" value="ar" options={languages} onChange={() => {}} error="No network." />
        <Choice label="Your language, waiting" value="en" options={languages} onChange={() => {}} disabled />
        <Choice label="Act as" labelUnseen look="quiet" value="en" options={languages} onChange={() => {}} />
      </Piece>
      <Piece name="Notice">
        <Notice tone="sky" title="School is closed now">
          Write any time. Ms Hughes sees it on Monday 08:00.
        </Notice>
        <Notice tone="marigold" title="Will Maya be away?" action={<Button look="primary">Call the office</Button>}>
          Tell the office, so that it arrives in time.
        </Notice>
        <Notice tone="brick">The e-mail address and the password do not belong together.</Notice>
        <Notice tone="green">Saved.</Notice>
      </Piece>
      <Piece name="LiveStrip">
        <LiveWords state="reconnecting" />
        <LiveWords state="offline" />
        <LiveWords state="offline" readOnly />
      </Piece>
      <Piece name="ThreadRow">
        {threads.map((thread) => (
          <ThreadRow key={thread.id} thread={thread} title={thread.pupil.name} about="Ana Ruiz · Oak class" />
        ))}
      </Piece>
      <Piece name="MessageBubble">
        {bubbles.map((message) => (
          <MessageBubble
            key={message.key}
            message={message}
            withAuthor={!message.mine}
            withTime
            withState={message.mine}
          />
        ))}
      </Piece>
      <Piece name="Composer">
        <Composer sendLabel="Send to Ms Hughes" text={text} onText={setText} onSend={() => {}} language="en" />
        <Composer sendLabel="Send to Ms Hughes" text="" onText={() => {}} onSend={() => {}} language="en" />
        <Composer sendLabel="Send" text={"a".repeat(3990)} onText={() => {}} onSend={() => {}} language="en" />
        <Composer sendLabel="Send" text={"a".repeat(4010)} onText={() => {}} onSend={() => {}} language="en" />
        <Composer
          sendLabel="Send"
          text="Kept"
          onText={() => {}}
          onSend={() => {}}
          language="en"
          disabled
          why="Writing works again when the school’s server is reached."
        />
      </Piece>
      <Piece name="Empty">
        <Empty icon="messages" title="No messages yet" action={<Button look="primary">Write to a family</Button>}>
          Your conversations with families appear here.
        </Empty>
      </Piece>
      <Piece name="Skeleton">
        <Skeleton shape="rows" label="Loading" />
        <Skeleton shape="bubbles" label="Loading" />
      </Piece>
    </main>
  );
}

function Piece({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section className="gallery-piece" aria-label={name}>
      <h2>{name}</h2>
      {children}
    </section>
  );
}
