// How a value of unknown size and type appears in an error message.

const LONGEST = 80;

/** The text cut to `longest` UTF-16 units, with "…" in place of what is left out. */
export function shortened(text: string, longest = LONGEST): string {
	return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** A decoded JSON value as an error message names it: a string in double quotes and cut, a list or an object by its kind. */
export function quoted(value: unknown, longest = LONGEST): string {
	if (typeof value === 'string') return JSON.stringify(shortened(value, longest));
	if (Array.isArray(value)) return 'a list';
	if (value === undefined) return 'nothing';
	return typeof value === 'object' && value !== null ? 'an object' : `${value as number | boolean | null}`;
}
