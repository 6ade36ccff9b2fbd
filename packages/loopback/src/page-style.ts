import { createHash } from 'node:crypto';

/** The style of every page: one card in the middle. The sign is drawn in CSS so that a script can change the tone. */
export const pageStyle: string = `
:root { --page: #f4f5f7; --card: #ffffff; --text: #16181d; --quiet: #5a6070; --line: #e2e4ea;
  --success: #18794e; --error: #c2293a; --waiting: #3451d1; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0f1115; --card: #191c22; --text: #f2f3f5; --quiet: #a4abba; --line: #2a2f39;
    --success: #4cc38a; --error: #ff8a8f; --waiting: #93a7ff; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px;
  background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { width: 100%; max-width: 440px; padding: 40px 32px; text-align: center;
  background: var(--card); border: 1px solid var(--line); border-radius: 16px;
  box-shadow: 0 8px 32px rgb(0 0 0 / 8%); }
.brand { margin: 0 0 28px; color: var(--quiet); font-size: 13px; font-weight: 600; letter-spacing: 0.02em; }
h1 { margin: 20px 0 8px; font-size: 24px; line-height: 1.25; overflow-wrap: anywhere; }
#message { margin: 0; color: var(--quiet); overflow-wrap: anywhere; white-space: pre-line; }
[data-tone="success"] { --tone: var(--success); }
[data-tone="error"] { --tone: var(--error); }
[data-tone="waiting"] { --tone: var(--waiting); }
.sign { width: 56px; height: 56px; margin: 0 auto; border: 3px solid var(--tone); border-radius: 50%; position: relative; }
.sign::before, .sign::after { content: ""; position: absolute; background: var(--tone); border-radius: 2px; }
[data-tone="success"] .sign::before { width: 13px; height: 24px; left: 18px; top: 9px; background: none;
  border: solid var(--tone); border-width: 0 3px 3px 0; border-radius: 0; transform: rotate(45deg); }
[data-tone="error"] .sign::before { width: 3px; height: 18px; left: 23.5px; top: 10px; }
[data-tone="error"] .sign::after { width: 4px; height: 4px; left: 23px; top: 34px; }
[data-tone="waiting"] .sign { border-color: var(--line); border-top-color: var(--tone); animation: turn 1s linear infinite; }
@keyframes turn { to { transform: rotate(360deg); } }
@media (prefers-reduced-motion: reduce) { [data-tone="waiting"] .sign { animation-duration: 6s; } }
`;

/** What a `Content-Security-Policy` names to allow this style and no other. */
export const pageStyleSource: string = `'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'`;
