import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Door } from "./door.js";
import { Link, hrefTo, navigate, useRoute } from "./router.js";
import { type Screen, type ScreenProps, screens } from "./screens.js";
import { type Session, signOut } from "./session.js";
import { useStore } from "./store.js";
import { nextTheme, theme } from "./theme.js";
import { Dialog, Fault, Icon, say } from "./ui/index.js";
import { Logo } from "./ui/icon.js";
import { askPlace } from "./ui/shellline.js";

/** The frame around the screens. */
export function Shell({ session }: { session: Session }) {
  const route = useRoute();
  const [help, setHelp] = useState(false);
  const [signingIn, setSigningIn] = useState(false);
  const screen = screens.find((s) => s.path === route.screen);
  useEffect(() => {
    if (!screen) navigate(hrefTo(screens[0]!.path), true);
  }, [screen]);
  useEffect(() => {
    if (screen) document.title = `${screen.title} · Ambit`;
  }, [screen]);
  useEffect(() => void askPlace(session.ambit).catch(() => undefined), [session]); // who may not ask sees the usual port
  useShortcuts(() => setHelp(true));

  if (signingIn) return <Door onBack={() => setSigningIn(false)} />;
  return (
    <div class="shell">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <nav class="rail" aria-label="Screens">
        <Link href={hrefTo("map")} class="brand">
          <Logo />
          <span>Ambit</span>
        </Link>
        <ul class="rail-screens">
          {screens.map((s) => (
            <li key={s.path}>
              <Link href={hrefTo(s.path)} class="rail-link" aria-current={s === screen ? "page" : undefined} title={`${s.title} (g ${s.key})`}>
                <Icon name={s.icon} size={20} />
                <span>{s.title}</span>
              </Link>
            </li>
          ))}
        </ul>
        <div class="rail-foot">
          <Online session={session} />
          <User session={session} onSignIn={() => setSigningIn(true)} />
          <div class="rail-tools">
            <ThemeButton />
            <button type="button" class="rail-button" onClick={() => setHelp(true)} aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">
              <Icon name="help" />
            </button>
          </div>
        </div>
      </nav>
      <main id="content" class="content" tabIndex={-1}>
        {screen && <Shown key={screen.path} screen={screen} session={session} />}
      </main>
      {help && <Shortcuts onClose={() => setHelp(false)} />}
    </div>
  );
}

/** A screen, once it is loaded. */
function Shown({ screen, session }: { screen: Screen; session: Session }) {
  const route = useRoute();
  const [Component, setComponent] = useState<ComponentType<ScreenProps>>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    screen.load().then((module) => setComponent(() => module.default), setError);
  }, [screen]);
  if (error !== undefined) return <Fault error={error} />;
  return Component ? <Component ambit={session.ambit} session={session} route={route} /> : <p class="loading" role="status">Loading …</p>;
}

function Online({ session }: { session: Session }) {
  const online = useStore(session.online);
  return (
    <p class={online ? "online" : "online lost"} role="status">
      <span class="online-dot" aria-hidden="true" />
      <span>{online ? "Connected" : "Connecting …"}</span>
    </p>
  );
}

function User({ session, onSignIn }: { session: Session; onSignIn: () => void }) {
  const { user, roles } = session.who;
  return (
    <div class="user">
      <span class="user-name" title={roles.length > 0 ? `Roles: ${roles.join(", ")}` : undefined}>
        <Icon name="user" />
        <span>{user ?? "anonymous"}</span>
      </span>
      {user === undefined && session.credentials.secret === undefined ? (
        <button type="button" class="rail-button text" onClick={onSignIn}>
          Sign in
        </button>
      ) : (
        <button type="button" class="rail-button text" onClick={() => void signOut()}>
          Sign out
        </button>
      )}
    </div>
  );
}

const themeNames = { system: "as the system", light: "light", dark: "dark" };

function ThemeButton() {
  const now = useStore(theme);
  return (
    <button type="button" class="rail-button" onClick={() => say(`Colours: ${themeNames[nextTheme()]}`)} aria-label={`Colours: ${themeNames[now]}`} title={`Colours: ${themeNames[now]} (t)`}>
      <Icon name={now === "system" ? "system" : now === "light" ? "sun" : "moon"} />
    </button>
  );
}

/** The keys that work everywhere: g and a letter, /, t and ?. */
function useShortcuts(onHelp: () => void): void {
  const afterG = useRef(0);
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target) || document.querySelector("dialog[open]")) return;
      const isSecond = Date.now() - afterG.current < 1500;
      afterG.current = 0;
      const to = isSecond && screens.find((s) => s.key === e.key);
      if (to) navigate(hrefTo(to.path));
      else if (e.key === "g") afterG.current = Date.now();
      else if (e.key === "?") onHelp();
      else if (e.key === "t") say(`Colours: ${themeNames[nextTheme()]}`);
      else if (e.key === "/") document.querySelector<HTMLElement>("[data-search]")?.focus();
      else return;
      e.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

const isTyping = (target: EventTarget | null) => target instanceof HTMLElement && target.matches("input:not([type=checkbox],[type=radio],[type=range]), textarea, select, [contenteditable]");

function Shortcuts({ onClose }: { onClose: () => void }) {
  const rows: [string[], string][] = [
    ...screens.map((s): [string[], string] => [["g", s.key], s.title]),
    [["/"], "Search in this screen"],
    [["t"], "Light, dark, or as the system"],
    [["?"], "These keys"],
  ];
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <table class="keys">
        <tbody>
          {rows.map(([keys, what]) => (
            <tr key={what}>
              <th scope="row">
                {keys.map((k) => (
                  <kbd key={k}>{k}</kbd>
                ))}
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
