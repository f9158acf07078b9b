// What tests of the protocol ask of errors.
import type { ExecutionContext } from 'ava';
import { CniError } from '../../src/cni/errors.ts';

/** `work` throws a CniError that has the code and all the fragments in its message or details. */
export function refuses(t: ExecutionContext, work: () => unknown, code: number, ...fragments: readonly string[]): void {
	const error = t.throws(work, { instanceOf: CniError });
	t.is(error.code, code, error.message);
	for (const fragment of fragments) {
		t.true(`${error.message}\n${error.details}`.includes(fragment), `${error.message}\n${error.details}`);
	}
}
