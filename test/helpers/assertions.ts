// What tests ask of the plugin's answers.
import type { ExecutionContext } from 'ava';
import type { Answer, Result } from './cni.ts';

const said = ({ status, signal, stdout, stderr }: Answer) =>
	`status ${status ?? signal}, stdout ${stdout.slice(0, 2000)}, stderr ${stderr.slice(0, 2000)}`;

/** The call succeeded and printed one JSON object, the result. */
export function resultOf(t: ExecutionContext, answer: Answer): Result {
	if (answer.status !== 0 || answer.json === undefined) {
		throw new Error(`expected a result, got ${said(answer)}`);
	}
	return answer.json;
}

/** The call succeeded and printed nothing on stdout, where results go. */
export function silent(t: ExecutionContext, answer: Answer): void {
	t.is(answer.status, 0, said(answer));
	t.is(answer.stdout, '');
}

/** The call failed with one error object that has the code and all the fragments in its message or details. */
export function refused(t: ExecutionContext, answer: Answer, code: number, ...fragments: readonly string[]): Result {
	const { json } = answer;
	t.is(answer.status, 1, said(answer));
	if (json === undefined) throw new Error(`expected one error object, got ${said(answer)}`);
	t.is(json.code, code, said(answer));
	t.is(typeof json.cniVersion, 'string');
	const text = `${json.msg}\n${json.details ?? ''}`;
	for (const fragment of fragments) t.true(text.includes(fragment), `"${fragment}" is not in: ${text}`);
	t.false(/\n\s+at |node:internal|\.ts:\d/u.test(answer.stdout), `a stack trace: ${answer.stdout}`);
	t.false('ips' in json);
	return json;
}
