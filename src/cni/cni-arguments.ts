// CNI_ARGS: what the caller says about one container, in the deprecated way.

import { CniError, CniErrorCode } from './errors.ts';
import { quoted } from './quoted.ts';

const KNOWN = ['IP', 'MAC', 'GATEWAY'];

/**
 * The pairs of `K=V;K=V` (CNI CONVENTIONS "CNI_ARGS"); keys keep their case, `IgnoreUnknown` is left out. Throws CniError 4
 * for what is no pair, and for a key other than `IP`, `MAC` and `GATEWAY` unless `IgnoreUnknown` is 1 or true.
 */
export function parseCniArguments(text: string): ReadonlyMap<string, string> {
	const pairs = new Map<string, string>();
	for (const pair of text === '' ? [] : text.split(';')) {
		const [key, value, ...rest] = pair.split('=');
		if (!key || value === undefined || rest.length > 0) throw refused(`invalid pair ${quoted(pair)}`);
		pairs.set(key, value);
	}
	const ignoreUnknown = parseBoolean(pairs.get('IgnoreUnknown') ?? 'false');
	pairs.delete('IgnoreUnknown');
	for (const [key, value] of ignoreUnknown ? [] : pairs) {
		if (!KNOWN.includes(key)) {
			throw refused(`unknown args [${quoted(`${key}=${value}`)}]; "IgnoreUnknown=1" in front lets them pass`);
		}
	}
	return pairs;
}

function parseBoolean(text: string): boolean {
	switch (text.toLowerCase()) {
		case '1':
		case 'true':
			return true;
		case '0':
		case 'false':
			return false;
		default:
			throw refused(`expected 1, true, 0 or false for IgnoreUnknown, got ${quoted(text)}`);
	}
}

function refused(why: string): CniError {
	return new CniError(CniErrorCode.invalidEnvironment, `reading CNI_ARGS: ${why}`);
}
