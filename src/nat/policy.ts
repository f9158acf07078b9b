// Who may talk to whom, by labels of containers: the keys `policy` and `labels`.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, readFields, readFieldsList, readString, readStrings, refuse } from '../cni/fields.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import { quoted } from '../cni/quoted.ts';
import { type Protocol, PROTOCOLS } from './port-mappings.ts';

/** Containers with the one label may reach those with the other; whoever has the second one is reached by nobody else. */
export interface PolicyRule {
	/** `key=value`. */
	readonly from: string;
	readonly to: string;
	/** Undefined: every port of every protocol. */
	readonly ports?: readonly PolicyPorts[];
}

export interface PolicyPorts {
	readonly protocol: Protocol;
	readonly first: number;
	readonly last: number;
}

/** Each port is an element of a set for each pair of containers. */
const MOST_PORTS = 256;

/** The rules of the key `policy`; undefined without it. Throws CniError 7. */
export function readPolicy({ fields }: NetworkConfiguration): PolicyRule[] | undefined {
	return readFieldsList(fields, 'policy')?.map((rule) => {
		const ports = readStrings(rule, 'ports');
		return {
			from: readSelector(rule, 'from'),
			to: readSelector(rule, 'to'),
			...(ports !== undefined && { ports: readPorts(ports, `${rule.path}ports`) }),
		};
	});
}

function readSelector(rule: Fields, key: string): string {
	const selector = readFields(rule, key);
	const label = selector && readString(selector, 'label');
	if (label !== undefined && /^[^=]+=/.test(label)) return label;
	return refuse(rule, `${key}.label`, 'a label such as "app=web"', label) ?? '';
}

function readPorts(texts: readonly string[], key: string): PolicyPorts[] {
	const ports = texts.map((text) => {
		const [, first, last = first, name] = /^(\d+)(?:-(\d+))?\/([a-z]+)$/i.exec(text) ?? [];
		const protocol = PROTOCOLS.find((known) => known === name?.toLowerCase());
		const range = { first: Number(first), last: Number(last) };
		if (protocol === undefined || range.first < 1 || range.last > 65535 || range.last < range.first) {
			throw invalid(key, `expected ports such as "5432/tcp" or "8000-8010/udp", got ${quoted(text)}`);
		}
		return { protocol, ...range };
	});
	const total = ports.reduce((sum, { first, last }) => sum + last - first + 1, 0);
	if (total <= MOST_PORTS) return ports;
	throw invalid(key, `${total} ports are named, a rule can have ${MOST_PORTS}; leave ports out for all of them`);
}

function invalid(key: string, why: string): CniError {
	return new CniError(CniErrorCode.invalidConfiguration, `reading ${key}: ${why}`);
}
