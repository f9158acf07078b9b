// The result's shape from version 0.3.0 on: lists of interfaces, addresses and routes.

import { readAddress, readCidr } from './address-text.ts';
import { type Fields, present, readFieldsList, readInteger, readString, refuse } from './fields.ts';
import type { Interface, IpConfig, Result } from './result.ts';
import { familyOf } from '../ip/address.ts';
import { readRoutes } from './routes.ts';
import { type Version, compareVersions, resultShape } from './versions.ts';

const LARGEST = 0x7fff_ffff;

/**
 * CNI SPEC 1.1 §5 "Success", and its forms of 0.3.0 and later: before 1.1.0 an interface has fewer members, before 1.0.0
 * the family stands beside each address. A route keeps all its members, as in libcni's conversions.
 */
export function encodeList({ interfaces, ips, routes }: Result, version: Version): Record<string, unknown> {
	return present({
		interfaces: orAbsent(compareVersions(version, '1.1.0') < 0 ? olderInterfaces(interfaces) : interfaces),
		ips: orAbsent(resultShape(version) === 'versioned-list' ? ips.map(withFamily) : ips),
		routes: orAbsent(routes),
	});
}

/** Throws CniError 7. */
export function decodeList(fields: Fields): Omit<Result, 'dns'> {
	return {
		interfaces: (readFieldsList(fields, 'interfaces') ?? []).map(decodeInterface),
		ips: (readFieldsList(fields, 'ips') ?? []).map(decodeIp).filter((ip) => ip !== undefined),
		routes: readRoutes(fields, 'routes'),
	};
}

function olderInterfaces(interfaces: readonly Interface[]): Interface[] {
	const older: Interface[] = [];
	for (const { name, mac, sandbox } of interfaces) older.push(present({ name, mac, sandbox }));
	return older;
}

function withFamily(ip: IpConfig): IpConfig & { version: string } {
	return { version: String(familyOf(ip.address)), ...ip };
}

function decodeInterface(fields: Fields): Interface {
	return present({
		name: readString(fields, 'name') ?? '',
		mac: readString(fields, 'mac'),
		mtu: readInteger(fields, 'mtu', 0, LARGEST),
		sandbox: readString(fields, 'sandbox'),
		socketPath: readString(fields, 'socketPath'),
		pciID: readString(fields, 'pciID'),
	});
}

function decodeIp(fields: Fields): IpConfig | undefined {
	const address =
		readCidr(fields, 'address') ?? refuse(fields, 'address', 'an address such as 9.0.1.2/26', undefined);
	if (address === undefined) return undefined;
	return present({
		address,
		gateway: readAddress(fields, 'gateway'),
		interface: readInteger(fields, 'interface', -LARGEST, LARGEST),
	});
}

function orAbsent<T>(list: readonly T[]): readonly T[] | undefined {
	return list.length > 0 ? list : undefined;
}
