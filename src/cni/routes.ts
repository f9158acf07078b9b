// Lists of routes in configurations and results.

import { readAddress, readCidr } from './address-text.ts';
import { type Fields, present, readFieldsList, readInteger, refuse } from './fields.ts';
import type { Route } from './result.ts';

const LARGEST = 0xffff_ffff;

/** The routes under `key`, CNI SPEC 1.1 §5 "routes"; none when it is absent. Throws CniError 7. */
export function readRoutes(fields: Fields, key: string): Route[] {
	const routes: Route[] = [];
	for (const route of readFieldsList(fields, key) ?? []) {
		const dst = readCidr(route, 'dst') ?? refuse(route, 'dst', 'a destination such as 0.0.0.0/0', undefined);
		if (dst !== undefined) {
			routes.push(
				present({
					dst,
					gw: readAddress(route, 'gw'),
					mtu: readInteger(route, 'mtu', 0, LARGEST),
					advmss: readInteger(route, 'advmss', 0, LARGEST),
					priority: readInteger(route, 'priority', 0, LARGEST),
					table: readInteger(route, 'table', 0, LARGEST),
					scope: readInteger(route, 'scope', 0, 255),
				}),
			);
		}
	}
	return routes;
}
