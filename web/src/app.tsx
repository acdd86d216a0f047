/** Which page stands at which address, and what is shown instead while nobody is signed in. */
import { lazy, type ReactNode, Suspense } from "react";
import { BrowserRouter, Navigate, Route, Routes } from "react-router";
import { Satchel } from "./components/Icon.tsx";
import { Frame } from "./frame/Frame.tsx";
import { ChoosePage } from "./pages/ChoosePage.tsx";
import { ClosedPage } from "./pages/ClosedPage.tsx";
import { HoursPage } from "./pages/HoursPage.tsx";
import { MessagesPage } from "./pages/MessagesPage.tsx";
import { MorePage } from "./pages/MorePage.tsx";
import { NewPage } from "./pages/NewPage.tsx";
import { NowherePage } from "./pages/NowherePage.tsx";
import { SignInPage } from "./pages/SignInPage.tsx";
import { TermsPage } from "./pages/TermsPage.tsx";
import { ThreadPage } from "./pages/ThreadPage.tsx";
import { WhyPage } from "./pages/WhyPage.tsx";
import { SessionProvider, useSession } from "./session/session.tsx";
import { Words } from "./words/Words.tsx";

// Few people read the record: the others' phones do not load it.
const RecordPage = lazy(() => import("./record/RecordPage.tsx"));
// Few people lead a school: the others' phones do not load what only leaders use.
const PolicyPage = lazy(() => import("./leading/PolicyPage.tsx"));
const OverduePage = lazy(() => import("./leading/OverduePage.tsx"));
const SafetyPage = lazy(() => import("./leading/SafetyPage.tsx"));
const SuspensionsPage = lazy(() => import("./leading/SuspensionsPage.tsx"));
const Gallery = import.meta.env.DEV ? lazy(() => import("./gallery/Gallery.tsx")) : null;

export function App() {
  return (
    <BrowserRouter>
      <SessionProvider>
        <Words>
          <Routes>
            {Gallery && (
              <Route
                path="/gallery"
                element={
                  <Suspense fallback={null}>
                    <Gallery />
                  </Suspense>
                }
              />
            )}
            {/* The address stays while one signs in, so that a link from an e-mail opens its conversation. */}
            <Route
              element={
                <Door>
                  <Frame />
                </Door>
              }
            >
              <Route index element={<Navigate to="/threads" replace />} />
              <Route path="/threads" element={<MessagesPage />}>
                <Route path=":id" element={<ThreadPage />} />
              </Route>
              <Route path="/new" element={<NewPage />} />
              <Route path="/more" element={<MorePage />} />
              <Route path="/record" element={<Late page={<RecordPage />} />} />
              <Route path="/hours" element={<HoursPage />} />
              <Route path="/why" element={<WhyPage />} />
              <Route path="/rules" element={<Late page={<PolicyPage />} />} />
              <Route path="/overdue" element={<Late page={<OverduePage />} />} />
              <Route path="/safety" element={<Late page={<SafetyPage />} />} />
              <Route path="/paused" element={<Late page={<SuspensionsPage />} />} />
              <Route path="*" element={<NowherePage />} />
            </Route>
          </Routes>
        </Words>
      </SessionProvider>
    </BrowserRouter>
  );
}

function Late({ page }: { page: ReactNode }) {
  return <Suspense fallback={null}>{page}</Suspense>;
}

function Door({ children }: { children: ReactNode }) {
  const { state, member } = useSession();
  switch (state) {
    case "starting":
      return (
        <div className="boot">
          <Satchel large />
        </div>
      );
    case "signed-out":
      return <SignInPage />;
    case "choosing":
      return <ChoosePage />;
    case "closed":
      return <ClosedPage />;
    case "terms":
      return <TermsPage />;
    default:
      return member ? children : <SignInPage />;
  }
}
