// Paths in the `ipam` object.

import { type Fields, readString, refuse } from '../cni/fields.ts';

/** A path. Throws CniError (invalid configuration) when it is not absolute: who calls us from where is not known. */
export function readPath(fields: Fields, key: string): string | undefined {
	const path = readString(fields, key);
	return path === undefined || path.startsWith('/') ? path : refuse(fields, key, 'an absolute path', path);
}
