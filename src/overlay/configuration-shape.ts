// The shape of the configuration: which keys there are, and of what types their values.

import * as v from 'valibot';
import { quoted } from '../cni/quoted.ts';
import type { Path, Problem } from './problem.ts';

const wholeNumber = v.pipe(v.number(), v.integer());

/** A network as it is written; what its values mean is checked elsewhere. */
export const networkShape = v.objectWithRest(
	{
		name: v.string(),
		subnet: v.optional(v.string()),
		prefix: v.optional(wholeNumber),
		subnet6: v.optional(v.string()),
		prefix6: v.optional(wholeNumber),
		enabled: v.optional(v.boolean()),
	},
	v.never(),
);

export const configurationShape = v.objectWithRest(
	{
		vtep_subnet: v.string(),
		vtep_subnet6: v.optional(v.string()),
		vtep_mac_oui: v.string(),
		vtep_mtu: v.optional(wholeNumber),
		overlays: v.pipe(v.array(networkShape), v.minLength(1)),
	},
	v.never(),
);

const TEXT = 'a text';
const NUMBER = 'a whole number';

/** What the value of a key has to be, and an example. */
const KEYS: Readonly<Record<string, readonly [kind: string, example: string]>> = {
	name: [TEXT, 'name: dcos'],
	subnet: [TEXT, 'subnet: 9.0.0.0/8'],
	prefix: [NUMBER, 'prefix: 26'],
	subnet6: [TEXT, 'subnet6: fd01:b::/64'],
	prefix6: [NUMBER, 'prefix6: 80'],
	enabled: ['true or false', 'enabled: false'],
	vtep_subnet: [TEXT, 'vtep_subnet: 44.128.0.0/20'],
	vtep_subnet6: [TEXT, 'vtep_subnet6: fd01:a::/64'],
	vtep_mac_oui: [TEXT, 'vtep_mac_oui: 70:B3:D5:00:00:00'],
	vtep_mtu: [NUMBER, 'vtep_mtu: 1450'],
	overlays: ['a list of networks', 'overlays: [{ name: dcos, subnet: 9.0.0.0/8, prefix: 26 }]'],
};
const NETWORK = ['a network', '{ name: dcos, subnet: 9.0.0.0/8, prefix: 26 }'] as const;
const CONFIGURATION = ['an object', '{ vtep_subnet: …, vtep_mac_oui: …, overlays: … }'] as const;

/** All that is wrong with the shape of a value that is found at a path. */
export function findShapeProblems(
	shape: typeof networkShape | typeof configurationShape,
	value: unknown,
	at: Path,
): Problem[] {
	return (v.safeParse(shape, value).issues ?? []).map((issue) => {
		const steps = (issue.path ?? []).map(({ key }) => key as string | number);
		const path = [...at, ...steps];
		const last = steps.at(-1);
		if (issue.type === 'never') {
			const { entries } = steps.length > 1 ? networkShape : shape;
			const right = `the keys here are ${Object.keys(entries).join(', ')}`;
			return { path, wrong: 'there is no such key', right, isKey: true };
		}
		const whole = shape === networkShape ? NETWORK : CONFIGURATION;
		const [kind, example] = last === undefined ? whole : (KEYS[last] ?? NETWORK);
		return { path, wrong: describe(issue.input, kind), right: `write ${example}` };
	});
}

function describe(value: unknown, kind: string): string {
	if (value === undefined) return 'is missing';
	if (value === null) return 'has no value';
	return Array.isArray(value) && value.length === 0 ? 'is empty' : `${quoted(value)} is not ${kind}`;
}
