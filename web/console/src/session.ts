// Who we are, and the connection that we have as that.
import { type Ambit, connect } from "@ambit/client";

import { type Credentials, Refusal, Unreachable, ask, mqttURL } from "./broker.js";
import { Store } from "./store.js";

export interface Who {
  /** Undefined is nobody in particular. */
  user: string | undefined;
  roles: string[];
}

export interface Session {
  ambit: Ambit;
  who: Who;
  credentials: Credentials;
  /** The secret of the credentials, which may be refreshed: for who makes another connection. */
  secret: Store<string | undefined>;
  /** Whether there is a connection now; it is made again by itself. */
  online: Store<boolean>;
}

export type Phase =
  | { at: "opening" }
  /** The broker does not answer, or does not connect us; it is tried again. */
  | { at: "away"; why: string }
  /** Somebody has to sign in; why says what was wrong, if anything was. */
  | { at: "door"; why?: string }
  | { at: "in"; session: Session };

export const phase = new Store<Phase>({ at: "opening" });

const key = "ambit.credentials";
const longTTL = "7d"; // of a sign-in for this device; others are as long as the broker makes them, and refreshed

function kept(): Credentials {
  const text = sessionStorage.getItem(key) ?? localStorage.getItem(key);
  if (text === null) return {};
  try {
    return JSON.parse(text) as Credentials;
  } catch {
    return {}; // it is not ours
  }
}

function forget(): void {
  sessionStorage.removeItem(key);
  localStorage.removeItem(key);
}

function keep(credentials: Credentials, onThisDevice = localStorage.getItem(key) !== null): void {
  forget();
  if (credentials.secret !== undefined) (onThisDevice ? localStorage : sessionStorage).setItem(key, JSON.stringify(credentials));
}

const nobody = "-1";

async function whoIs(credentials: Credentials): Promise<Who> {
  try {
    const { _id, _source } = await ask<{ _id: string; _source: { roles?: string[] } }>("auth", "getCurrentUser", {}, credentials);
    return { user: _id === nobody ? undefined : _id, roles: _source.roles ?? [] };
  } catch (e) {
    // Who may come in, but not ask that, is in.
    if (e instanceof Refusal && e.status === 403 && e.message.includes("getCurrentUser")) return { user: undefined, roles: [] };
    throw e;
  }
}

let timer: ReturnType<typeof setTimeout> | undefined;
let opening = 0; // counts, so that what was overtaken is known

function current(): Session | undefined {
  return phase.value.at === "in" ? phase.value.session : undefined;
}

/** Opens the page: with what was kept, or as nobody. */
export async function open(): Promise<void> {
  const credentials = kept();
  await enter(credentials);
}

/** Comes in with credentials, or says at the door why not. */
async function enter(credentials: Credentials): Promise<void> {
  clearTimeout(timer);
  const turn = ++opening;
  try {
    const who = await whoIs(credentials);
    const ambit = await dial(credentials, who);
    if (turn !== opening) {
      await ambit.close();
      return;
    }
    const before = current();
    phase.set({ at: "in", session: follow(ambit, who, credentials) });
    await before?.ambit.close();
  } catch (e) {
    if (turn === opening) refused(e, credentials);
  }
}

function dial({ secret }: Credentials, { user }: Who): Promise<Ambit> {
  return connect(mqttURL(), {
    ...(secret !== undefined && { password: () => kept().secret ?? secret }),
    ...(secret !== undefined && { username: user ?? "" }), // mqtt.js wants a name beside a password
    clientId: `console-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`,
    mqtt: { timerVariant: "native", keepalive: 45 }, // no worker made of a text: the page allows none
  });
}

function refused(e: unknown, credentials: Credentials): void {
  if (e instanceof Refusal && e.isAtTheDoor) {
    const had = credentials.secret !== undefined;
    if (had && e.status !== 429) forget();
    phase.set(had || e.status !== 401 ? { at: "door", why: said(e) } : { at: "door" });
    return;
  }
  const why = e instanceof Unreachable ? "The broker does not answer." : `The broker does not let this page connect: ${e instanceof Error ? e.message : String(e)}`;
  phase.set({ at: "away", why });
  timer = setTimeout(() => void enter(credentials), 2000);
}

/** What a refusal says, for people. */
function said(e: Refusal): string {
  if (e.message.startsWith("pages of another host")) return `The broker does not know that ${location.hostname} is its name: add it to the setting hosts.`;
  switch (e.id) {
    case "security.token.expired":
      return "Your sign-in has expired.";
    case "security.token.invalid":
      return "That token or key does not count, or no longer.";
    case "plugin.strategy.missing_user":
      return "The name or the password is wrong.";
  }
  return e.message.charAt(0).toUpperCase() + e.message.slice(1);
}

/** Follows a connection: whether it is there, whether we may stay, and that our token lasts. */
function follow(ambit: Ambit, who: Who, credentials: Credentials): Session {
  const session: Session = { ambit, who, credentials, secret: new Store(credentials.secret), online: new Store(true) };
  const mine = () => current() === session;
  ambit.connection.on("connect", () => session.online.set(true));
  ambit.connection.on("disconnect", () => session.online.set(false));
  let asking = false;
  ambit.connection.on("error", () => {
    if (asking || !mine()) return;
    asking = true;
    const { secret } = kept();
    whoIs(secret === undefined ? session.credentials : kept()) // another tab may have refreshed, or forgotten, what was kept
      .catch((e: unknown) => {
        if (!(e instanceof Refusal && e.isAtTheDoor) || e.status === 429 || !mine()) return; // it is tried again by itself
        phase.set({ at: "opening" });
        refused(e, credentials);
        void ambit.close();
      })
      .finally(() => (asking = false));
  });
  if (credentials.own) refreshInTime(session, mine);
  return session;
}

function refreshInTime(session: Session, mine: () => boolean): void {
  const left = (session.credentials.expiresAt ?? 0) - Date.now();
  setTimeout(() => void refresh(session, mine), Math.min(Math.max(left * 0.8, 1000), 0x7fffffff));
}

async function refresh(session: Session, mine: () => boolean): Promise<void> {
  if (!mine()) return;
  try {
    const { jwt, ttl } = await ask<Login>("auth", "refreshToken", {}, session.credentials);
    session.credentials = { ...session.credentials, secret: jwt, expiresAt: Date.now() + ttl };
    keep(session.credentials);
    session.secret.set(jwt);
  } catch (e) {
    if (e instanceof Refusal) return; // it lasts as long as it lasts
  }
  refreshInTime(session, mine);
}

interface Login {
  _id: string;
  jwt: string;
  /** How long it counts, in milliseconds: the clock of the broker may be another one. */
  ttl: number;
}

/** Signs in with a name and a password; an error says why not. */
export async function signIn(username: string, password: string, onThisDevice: boolean): Promise<void> {
  const login = (long: boolean) => ask<Login>("auth", "login", { strategy: "local", ...(long && { expiresIn: longTTL }), body: { username, password } });
  const { jwt, ttl } = await login(onThisDevice)
    .catch((e: unknown) => {
      if (e instanceof Refusal && e.id === "security.token.ttl_exceeded") return login(false);
      throw e;
    })
    .catch((e: unknown) => {
      throw people(e);
    });
  const credentials = { secret: jwt, expiresAt: Date.now() + ttl, own: true };
  keep(credentials, onThisDevice);
  await enter(credentials);
}

/** Signs in with a token or an API key; an error says why not. */
export async function signInWith(secret: string, onThisDevice: boolean): Promise<void> {
  const credentials: Credentials = { secret };
  try {
    await whoIs(credentials);
  } catch (e) {
    throw people(e);
  }
  keep(credentials, onThisDevice);
  await enter(credentials);
}

function people(e: unknown): Error {
  if (e instanceof Refusal) return new Error(said(e));
  return new Error(e instanceof Unreachable ? "The broker does not answer." : String(e));
}

/** Leaves: our own token counts no more, and we are nobody, or at the door. */
export async function signOut(): Promise<void> {
  const credentials = kept();
  const session = current();
  forget();
  phase.set({ at: "opening" });
  await session?.ambit.close();
  if (credentials.own) await ask("auth", "logout", {}, credentials).catch(() => undefined); // it ends by itself
  await enter({});
}
