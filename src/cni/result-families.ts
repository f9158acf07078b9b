// The result's shape up to version 0.2.0, which Mesos reads at any version: `ip4` and `ip6`, each with its routes.

import { familyOf } from '../ip/address.ts';
import { readAddress, readCidr } from './address-text.ts';
import { type Fields, present, readFields, refuse } from './fields.ts';
import type { IpConfig, Result, Route } from './result.ts';
import { readRoutes } from './routes.ts';

/** CNI SPEC 0.2.0 "Result": the first address of each family, with the routes to destinations of that family. */
export function encodeFamilies(result: Result): Record<string, unknown> {
	return present({ ip4: encodeFamily(result, 4), ip6: encodeFamily(result, 6) });
}

/** `ip4` before `ip6`, and their routes in the same order. Throws CniError 7. */
export function decodeFamilies(fields: Fields): { ips: IpConfig[]; routes: Route[] } {
	const ips: IpConfig[] = [];
	const routes: Route[] = [];
	for (const key of ['ip4', 'ip6']) {
		const family = readFields(fields, key);
		const address =
			family && (readCidr(family, 'ip') ?? refuse(family, 'ip', 'an address such as 9.0.1.2/26', undefined));
		if (family !== undefined && address !== undefined) {
			ips.push(present({ address, gateway: readAddress(family, 'gateway') }));
			routes.push(...readRoutes(family, 'routes'));
		}
	}
	return { ips, routes };
}

function encodeFamily(result: Result, family: 4 | 6): Record<string, unknown> | undefined {
	const ip = result.ips.find(({ address }) => familyOf(address) === family);
	if (ip === undefined) return undefined;
	const routes = result.routes
		.filter(({ dst }) => familyOf(dst) === family)
		.map(({ dst, gw }) => present({ dst, gw }));
	return present({ ip: ip.address, gateway: ip.gateway, routes: routes.length > 0 ? routes : undefined });
}
