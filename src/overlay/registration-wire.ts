// PUT /v1/agents/{ip}: an agent registers, and reports.

import * as v from 'valibot';
import { present } from '../cni/fields.ts';
import { parseIp } from '../ip/address.ts';
import { parseCidr } from '../ip/cidr.ts';
import type { Subnet } from '../ipam/subnet.ts';
import type { Holdings, Shortage } from './allocation.ts';
import type { Allocation } from './records.ts';
import { addressBlock, subnetOf } from './subnet-text.ts';
import { vtepsShape, wireAgentShape, wireNetworkShape } from './wire.ts';

/** The original's words for how far an agent is with a network. */
export const agentStatuses = ['STATUS_OK', 'STATUS_FAILED', 'STATUS_CONFIGURING'] as const;
export type AgentStatus = (typeof agentStatuses)[number];

const MOST_NETWORKS = 1000;
const LONGEST_ERROR = 1000;

const address = v.pipe(
	v.string(),
	v.check((text) => parseIp(text) !== undefined, 'expected an IP address'),
);
const subnet = v.pipe(
	v.string(),
	v.check((text) => parseCidr(text) !== undefined, 'expected a subnet'),
);

/** What an agent says of a network: what it has of it, and how it fares. */
const networkReportShape = v.object({
	subnet: v.optional(subnet),
	subnet6: v.optional(subnet),
	status: v.optional(v.picklist(agentStatuses), 'STATUS_CONFIGURING'),
	error: v.optional(v.pipe(v.string(), v.maxLength(LONGEST_ERROR))),
	/** How many containers are on it. Absent: not known, which counts as some. */
	containers: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
export type NetworkReport = v.InferOutput<typeof networkReportShape>;

/** What an agent sends. */
export const registrationShape = v.object({
	/** Random, and kept where a restart finds it: tells the agent from another that claims its address. */
	instance: v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/, 'expected 1 to 64 letters, digits, ".", "_" or "-"')),
	/** What it has, so that a master that has lost its memory gives it the same. */
	vtep: v.optional(v.object({ ip: v.optional(address), ip6: v.optional(address) })),
	networks: v.optional(v.pipe(v.record(v.string(), networkReportShape), v.maxEntries(MOST_NETWORKS)), {}),
});
export type RegistrationReport = v.InferOutput<typeof registrationShape>;

/** What it is answered. */
export const registrationAnswerShape = v.object({
	/** From where to watch. */
	revision: v.string(),
	/** After how many seconds to report again, at the latest. */
	reportInterval: v.number(),
	vteps: vtepsShape,
	networks: v.array(wireNetworkShape),
	agent: wireAgentShape,
	/** What there is not enough of. */
	shortages: v.array(v.object({ network: v.optional(v.string()), message: v.string() })),
});
export type RegistrationAnswer = v.InferOutput<typeof registrationAnswerShape>;

/** What an agent says that it has. */
export function holdingsOfReport({ vtep, networks }: RegistrationReport): Holdings {
	const single = (text: string | undefined): Subnet | undefined =>
		text === undefined ? undefined : addressBlock(text);
	const several = (text: string | undefined): Subnet | undefined => (text === undefined ? undefined : subnetOf(text));
	const allocations = Object.entries(networks).map(([name, report]): [string, Allocation] => [
		name,
		present({ subnet: several(report.subnet), subnet6: several(report.subnet6) }),
	]);
	return present({ vtep: single(vtep?.ip), vtep6: single(vtep?.ip6), networks: new Map(allocations) });
}

export function encodeShortages(shortages: readonly Shortage[]): RegistrationAnswer['shortages'] {
	return shortages.map(({ network, message }) => present({ network, message }));
}

/** Reads what a master has answered. Throws TypeError when it is something else. */
export function decodeRegistrationAnswer(json: string): RegistrationAnswer {
	const { issues, output, success } = v.safeParse(registrationAnswerShape, JSON.parse(json));
	if (success) return output;
	throw new TypeError(`decoding the answer of the master: ${v.summarize(issues)}`);
}
