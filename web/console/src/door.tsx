import { useId, useRef, useState } from "preact/hooks";

import { signIn, signInWith } from "./session.js";
import { Choice, Copyable, Fault, Field } from "./ui/index.js";
import { Logo } from "./ui/icon.js";

type How = "password" | "secret";

/** Where somebody signs in. With onBack it is beside a session that there is. */
export function Door({ why, onBack }: { why?: string | undefined; onBack?: () => void }) {
  const [how, setHow] = useState<How>("password");
  const [fault, setFault] = useState<string | undefined>(why);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const headId = useId();

  const submit = async (e: Event) => {
    e.preventDefault();
    const data = new FormData(form.current!);
    const text = (name: string) => String(data.get(name) ?? "");
    setBusy(true);
    setFault(undefined);
    try {
      const stay = data.has("stay");
      await (how === "password" ? signIn(text("username"), text("password"), stay) : signInWith(text("secret").trim(), stay));
      onBack?.();
    } catch (e) {
      setFault(e instanceof Error ? e.message : String(e));
      form.current?.querySelector<HTMLInputElement>("input[type=password]")?.select();
    } finally {
      setBusy(false);
    }
  };

  return (
    <main class="door" id="content">
      <form class="door-card" ref={form} onSubmit={submit} aria-labelledby={headId}>
        <div class="door-brand">
          <Logo size={40} />
          <div>
            <h1 id={headId}>Sign in to Ambit</h1>
            <p class="muted mono">{location.host}</p>
          </div>
        </div>
        <Fault error={fault} />
        <Choice
          label="What to sign in with"
          value={how}
          onChange={(value) => (setHow(value), setFault(undefined))}
          options={[
            { value: "password", label: "Name and password" },
            { value: "secret", label: "Token or API key" },
          ]}
        />
        {how === "password" ? (
          <>
            <Field label="Name">
              <input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required autoFocus />
            </Field>
            <Field label="Password">
              <input name="password" type="password" autocomplete="current-password" required />
            </Field>
          </>
        ) : (
          <Field label="Token or API key" hint="As in an MQTT password: a token of your issuer, or a key that begins with ambit-key-.">
            <input name="secret" type="password" autocomplete="off" spellcheck={false} required autoFocus class="mono" />
          </Field>
        )}
        <label class="check">
          <input type="checkbox" name="stay" /> Stay signed in on this device
        </label>
        <button class="btn primary" disabled={busy}>
          {busy ? "Signing in …" : "Sign in"}
        </button>
        {onBack && (
          <button type="button" class="btn quiet" onClick={onBack}>
            Back
          </button>
        )}
        <details class="door-help">
          <summary>No account yet?</summary>
          <p>Whoever runs the broker makes one, and names its file in the setting <code>users</code>:</p>
          <Copyable text="ambit passwd users.txt anna --role admin" />
        </details>
      </form>
    </main>
  );
}
