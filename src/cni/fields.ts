// Reads decoded JSON the way that Go's decoder does, since today's configurations were written for it.

import { CniError, CniErrorCode } from './errors.ts';
import { quoted } from './quoted.ts';

/** A JSON object. Keys are lower-cased; those whose value is null are left out. */
export interface Fields {
	/** What comes before a key in messages: `ipam.`, or nothing at the top. */
	readonly path: string;
	readonly entries: ReadonlyMap<string, unknown>;
	/** A value of the wrong type counts as absent. DEL reads so: it has to release what it can. */
	readonly lenient: boolean;
}

/** `value` as an object whose keys are found in any case; the last of two keys that differ in case wins. Throws CniError 7. */
export function fieldsOf(value: unknown, path: string, lenient = false): Fields {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		throw mismatch(path.endsWith('.') ? path.slice(0, -1) : path, 'an object', value);
	}
	const entries = new Map<string, unknown>();
	for (const [key, member] of Object.entries(value)) {
		if (member !== null) entries.set(key.toLowerCase(), member);
	}
	return { path, entries, lenient };
}

/** A string; an empty one counts as absent. Throws CniError 7, as all of these. */
export function readString(fields: Fields, key: string): string | undefined {
	const value = fields.entries.get(key.toLowerCase());
	if (value === undefined || value === '') return undefined;
	return typeof value === 'string' ? value : refuse(fields, key, 'a string', value);
}

export function readBoolean(fields: Fields, key: string): boolean | undefined {
	const value = fields.entries.get(key.toLowerCase());
	return value === undefined || typeof value === 'boolean' ? value : refuse(fields, key, 'true or false', value);
}

/** A whole number from `min` to `max`, both included. */
export function readInteger(fields: Fields, key: string, min: number, max: number): number | undefined {
	const value = fields.entries.get(key.toLowerCase());
	if (value === undefined) return undefined;
	if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
	return refuse(fields, key, `a whole number from ${min} to ${max}`, value);
}

/** An object within the object. */
export function readFields(fields: Fields, key: string): Fields | undefined {
	const value = fields.entries.get(key.toLowerCase());
	if (value === undefined) return undefined;
	return isObject(value)
		? fieldsOf(value, `${fields.path}${key}.`, fields.lenient)
		: refuse(fields, key, 'an object', value);
}

export function readList(fields: Fields, key: string): readonly unknown[] | undefined {
	const value = fields.entries.get(key.toLowerCase());
	return value === undefined || Array.isArray(value) ? value : refuse(fields, key, 'a list', value);
}

/** A list of strings, without its empty ones. */
export function readStrings(fields: Fields, key: string): string[] | undefined {
	const list = readList(fields, key);
	const strings = list?.filter((value) => typeof value === 'string');
	const isMixed = list?.some((value) => typeof value !== 'string' && value !== null);
	return isMixed ? refuse(fields, key, 'a list of strings', list) : strings?.filter((value) => value !== '');
}

/** A list of objects; each has the path `key[0].`, `key[1].` and so on. */
export function readFieldsList(fields: Fields, key: string): Fields[] | undefined {
	return readList(fields, key)
		?.filter((value) => !fields.lenient || isObject(value))
		.map((value, index) => fieldsOf(value, `${fields.path}${key}[${index}].`, fields.lenient));
}

/** The object without the members that are undefined, for types whose optional members may only be absent. */
export function present<T extends object>(value: T): Present<T> {
	const members: Record<string, unknown> = {};
	for (const [key, member] of Object.entries(value)) if (member !== undefined) members[key] = member;
	return members as Present<T>;
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
	[K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Says that a key's value is not what was expected: CniError 7 is thrown, or undefined returned when reading leniently. */
export function refuse(fields: Fields, key: string, expected: string, value: unknown): undefined {
	if (!fields.lenient) throw mismatch(fields.path + key, expected, value);
	return undefined;
}

function mismatch(where: string, expected: string, value: unknown): CniError {
	return new CniError(
		CniErrorCode.invalidConfiguration,
		`reading ${where}: expected ${expected}, got ${quoted(value)}`,
	);
}

/** Whatever is there; undefined when nothing is. */
export function valueOf(fields: Fields, key: string): unknown {
	return fields.entries.get(key.toLowerCase());
}

function isObject(value: unknown): boolean {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
