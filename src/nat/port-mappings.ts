// The ports of the host that lead into a container: `runtimeConfig.portMappings`, and Mesos' `port_mappings`.

import { addressFamily, unmapped } from '../cni/address-text.ts';
import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, readFieldsList, readString, refuse, valueOf } from '../cni/fields.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import { formatIp, parseIp } from '../ip/address.ts';

export const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export type Family = 4 | 6;

/** Some consecutive ports of the host, and as many of the container. */
export interface PortMapping {
	readonly protocol: Protocol;
	readonly hostPort: number;
	readonly containerPort: number;
	/** How many ports, from the two above on. */
	readonly count: number;
	/** The only address of the host that they are reached by; undefined: every one of the families. */
	readonly hostIp?: string;
	readonly families: readonly Family[];
}

/** Ports of one attachment: each is an element of the kernel's map, and all of them one transaction. */
const MOST_PORTS = 4096;
const LAST_PORT = 65535;

const EVERY_ADDRESS: Readonly<Record<string, Family>> = { '0.0.0.0': 4, '::': 6 };

/** What the two callers name things by: CNI CONVENTIONS "portMappings", include/mesos/mesos.proto NetworkInfo.PortMapping. */
const CNI_KEYS = { host: 'hostPort', container: 'containerPort', address: 'hostIP' };
const MESOS_KEYS = { host: 'host_port', container: 'container_port', address: undefined };

/** The mappings of both callers. Throws CniError 7, naming key and value, for what is no mapping and for ports that are mapped twice. */
export function readPortMappings({ runtimeConfig, mesos }: NetworkConfiguration): PortMapping[] {
	const ofRuntime = runtimeConfig && readFieldsList(runtimeConfig, 'portMappings');
	const ofMesos = mesos && readFieldsList(mesos, 'port_mappings');
	const entries = [
		...(ofRuntime?.map((entry) => readMapping(entry, CNI_KEYS)) ?? []),
		...(ofMesos?.map((entry) => readMapping(entry, MESOS_KEYS)) ?? []),
	];
	if (entries.length === 0) return [];
	refuseDoubles(entries);
	return entries.map(({ mapping }) => mapping);
}

interface Entry {
	readonly mapping: PortMapping;
	/** The key of the host port, for messages. */
	readonly key: string;
}

function readMapping(fields: Fields, keys: typeof CNI_KEYS | typeof MESOS_KEYS): Entry {
	const host = readPorts(fields, keys.host);
	const container = readPorts(fields, keys.container);
	if (host.count !== container.count) {
		const expected = `as many ports as ${keys.host} has (${host.count})`;
		refuse(fields, keys.container, expected, valueOf(fields, keys.container));
	}
	const mapping = {
		protocol: readProtocol(fields),
		hostPort: host.first,
		containerPort: container.first,
		count: host.count,
		...readHostAddress(fields, keys.address),
	};
	return { mapping, key: fields.path + keys.host };
}

/** A number, or text such as `8000-8010`. */
function readPorts(fields: Fields, key: string): { readonly first: number; readonly count: number } {
	const value = valueOf(fields, key);
	const [, first, last = first] =
		typeof value === 'string' ? (/^([1-9]\d*)(?:-([1-9]\d*))?$/.exec(value) ?? []) : ['', value, value];
	const ports = { first: Number(first), last: Number(last) };
	if (isPort(ports.first) && isPort(ports.last)) {
		if (ports.first <= ports.last) return { first: ports.first, count: ports.last - ports.first + 1 };
		refuse(fields, key, 'a range with its lower port first', value);
	}
	refuse(fields, key, `a port from 1 to ${LAST_PORT}, or a range of them such as "8000-8010"`, value);
	return { first: 0, count: 0 };
}

function isPort(port: number): boolean {
	return Number.isInteger(port) && port >= 1 && port <= LAST_PORT;
}

function readProtocol(fields: Fields): Protocol {
	const text = readString(fields, 'protocol');
	const protocol = PROTOCOLS.find((known) => known === (text ?? 'tcp').toLowerCase());
	return protocol ?? refuse(fields, 'protocol', `one of ${PROTOCOLS.join(', ')}`, text) ?? 'tcp';
}

function readHostAddress(fields: Fields, key: string | undefined): Pick<PortMapping, 'hostIp' | 'families'> {
	const text = key === undefined ? undefined : readString(fields, key);
	if (key === undefined || text === undefined) return { families: [4, 6] };
	const bytes = addressFamily(text) === undefined ? undefined : parseIp(unmapped(text));
	if (bytes === undefined) {
		refuse(fields, key, 'an IP address of the host', text);
		return { families: [] };
	}
	const hostIp = formatIp(bytes);
	const family = EVERY_ADDRESS[hostIp];
	return family === undefined ? { hostIp, families: [bytes.length === 4 ? 4 : 6] } : { families: [family] };
}

/** The ports of a mapping, one by one. */
export function portsOf({ hostPort, containerPort, count }: PortMapping): [host: number, container: number][] {
	const ports: [number, number][] = [];
	for (let at = 0; at < count; at++) ports.push([hostPort + at, containerPort + at]);
	return ports;
}

function refuseDoubles(entries: readonly Entry[]): void {
	const total = entries.reduce((sum, { mapping }) => sum + mapping.count, 0);
	if (total > MOST_PORTS) {
		throw invalid(entries[0]?.key ?? '', `${total} ports are mapped, one container can have ${MOST_PORTS}`);
	}
	const seen = new Map<string, Entry[]>();
	for (const entry of entries) {
		const { protocol, families, hostIp } = entry.mapping;
		for (const family of families) {
			for (const [port] of portsOf(entry.mapping)) {
				const key = `${protocol} ${family} ${port}`;
				const others = seen.get(key) ?? [];
				const double = others.find(({ mapping }) => overlaps(mapping.hostIp, hostIp));
				if (double !== undefined) {
					throw invalid(
						entry.key,
						`port ${port}/${protocol} is mapped already by ${double.key}, leave one out`,
					);
				}
				seen.set(key, [...others, entry]);
			}
		}
	}
}

/** Whether a packet can be for both: as with sockets, every address includes each one. */
export function overlaps(one: string | undefined, other: string | undefined): boolean {
	return one === undefined || other === undefined || one === other;
}

function invalid(key: string, why: string): CniError {
	return new CniError(CniErrorCode.invalidConfiguration, `reading ${key}: ${why}`);
}
