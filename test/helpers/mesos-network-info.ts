// Reads a plugin's stdout as Mesos does: one JSON object into the protobuf spec::NetworkInfo.
import type { Answer } from './cni.ts';

export interface MesosAddress {
	ip: string;
	gateway?: string;
	routes: { dst: string; gw?: string }[];
}

export interface MesosNetworkInfo {
	ip4?: MesosAddress;
	ip6?: MesosAddress;
	dns?: { nameservers: string[]; domain?: string; search: string[]; options: string[] };
}

type Members = Readonly<Record<string, unknown>>;

/** Throws where Mesos fails the launch: exit status, no object, a required field missing, a field of another type. */
export function parseNetworkInfo({ status, stdout, stderr }: Answer): MesosNetworkInfo {
	if (status !== 0) throw new Error(`the plugin failed: stdout "${stdout}", stderr "${stderr}"`);
	const members = objectOf(JSON.parse(stdout), 'the result');
	const info: MesosNetworkInfo = {};
	for (const key of ['ip4', 'ip6'] as const) {
		if (members[key] !== undefined) info[key] = addressOf(objectOf(members[key], key), key);
	}
	if (members['dns'] !== undefined) {
		const dns = objectOf(members['dns'], 'dns');
		info.dns = {
			nameservers: stringsOf(dns, 'nameservers'),
			...optional(dns, 'domain'),
			search: stringsOf(dns, 'search'),
			options: stringsOf(dns, 'options'),
		};
	}
	return info;
}

function addressOf(members: Members, path: string): MesosAddress {
	const ip = stringOf(members, 'ip');
	if (ip === undefined) throw new Error(`missing required field ${path}.ip`);
	const routes = listOf(members, 'routes').map((entry) => {
		const route = objectOf(entry, 'a route');
		const dst = stringOf(route, 'dst');
		if (dst === undefined) throw new Error(`missing required field ${path}.routes.dst`);
		return { dst, ...optional(route, 'gw') };
	});
	return { ip, ...optional(members, 'gateway'), routes };
}

function objectOf(value: unknown, path: string): Members {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${path} is no object`);
	return value as Members;
}

function listOf(members: Members, key: string): unknown[] {
	const value = members[key] ?? [];
	if (!Array.isArray(value)) throw new Error(`${key} is no array`);
	return value;
}

function stringOf(members: Members, key: string): string | undefined {
	const value = members[key];
	if (value !== undefined && typeof value !== 'string') throw new Error(`${key} is no string`);
	return value;
}

function stringsOf(members: Members, key: string): string[] {
	return listOf(members, key).map((value) => {
		if (typeof value !== 'string') throw new Error(`${key} holds something that is no string`);
		return value;
	});
}

function optional<Key extends string>(members: Members, key: Key): Partial<Record<Key, string>> {
	const value = stringOf(members, key);
	return value === undefined ? {} : ({ [key]: value } as Partial<Record<Key, string>>);
}
