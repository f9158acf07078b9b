import test from 'ava';
import { findRoute, resolveRoutes } from '../../src/bridge/routes.ts';
import type { Route } from '../../src/cni/result.ts';

const four = { address: '9.0.1.2/27', gateway: '9.0.1.1' };
const six = { address: 'fd00::2/64', gateway: 'fd00::1' };

const resolved: readonly [string, Route[], { address: string; gateway?: string }[], boolean, Route[]][] = [
	['none', [], [four], false, []],
	[
		'one without a gateway gets that of its family',
		[{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
		[six, four],
		false,
		[
			{ dst: '0.0.0.0/0', gw: '9.0.1.1' },
			{ dst: '::/0', gw: 'fd00::1' },
		],
	],
	[
		'one with a gateway keeps it',
		[{ dst: '10.0.0.0/8', gw: '9.0.1.9' }],
		[four],
		false,
		[{ dst: '10.0.0.0/8', gw: '9.0.1.9' }],
	],
	[
		'one on the link has none',
		[{ dst: '10.0.0.0/8', scope: 253 }],
		[four],
		false,
		[{ dst: '10.0.0.0/8', scope: 253 }],
	],
	[
		'one of universal scope has one',
		[{ dst: '10.0.0.0/8', scope: 0 }],
		[four],
		false,
		[{ dst: '10.0.0.0/8', scope: 0, gw: '9.0.1.1' }],
	],
	[
		'one that says that it has no gateway has none',
		[
			{ dst: '169.254.1.1/32', gw: '0.0.0.0', scope: 253 },
			{ dst: 'fd01::/64', gw: '::' },
		],
		[four, six],
		false,
		[{ dst: '169.254.1.1/32', scope: 253 }, { dst: 'fd01::/64' }],
	],
	[
		'of a family without a gateway',
		[{ dst: '::/0', mtu: 1300 }],
		[four, { address: 'fd00::2/64' }],
		false,
		[{ dst: '::/0', mtu: 1300 }],
	],
	[
		'the first gateway of a family counts',
		[{ dst: '10.0.0.0/8' }],
		[{ address: '9.0.2.2/27' }, four, { address: '9.0.3.2/27', gateway: '9.0.3.1' }],
		false,
		[{ dst: '10.0.0.0/8', gw: '9.0.1.1' }],
	],
	[
		'default routes are added for each family with a gateway',
		[],
		[four, six],
		true,
		[
			{ dst: '0.0.0.0/0', gw: '9.0.1.1' },
			{ dst: '::/0', gw: 'fd00::1' },
		],
	],
	['no default route without a gateway', [], [{ address: '9.0.1.2/27' }], true, []],
	[
		'a default route that is there is not added',
		[{ dst: '0.0.0.0/0', gw: '9.0.1.9' }],
		[four],
		true,
		[{ dst: '0.0.0.0/0', gw: '9.0.1.9' }],
	],
	[
		'however it is written',
		[{ dst: '9.9.9.9/0' }, { dst: 'fd00::/0' }],
		[four, six],
		true,
		[
			{ dst: '9.9.9.9/0', gw: '9.0.1.1' },
			{ dst: 'fd00::/0', gw: 'fd00::1' },
		],
	],
	[
		'a default route of one family says nothing of the other',
		[{ dst: '0.0.0.0/0' }],
		[four, six],
		true,
		[
			{ dst: '0.0.0.0/0', gw: '9.0.1.1' },
			{ dst: '::/0', gw: 'fd00::1' },
		],
	],
	[
		'a wide route is no default route',
		[{ dst: '128.0.0.0/1' }],
		[four],
		true,
		[
			{ dst: '128.0.0.0/1', gw: '9.0.1.1' },
			{ dst: '0.0.0.0/0', gw: '9.0.1.1' },
		],
	],
];
for (const [title, routes, addresses, isDefaultGateway, expected] of resolved) {
	test(`routes as they will be set: ${title}`, (t) =>
		t.deepEqual(resolveRoutes(routes, addresses, isDefaultGateway), expected));
}

const present: Route[] = [
	{ dst: '0.0.0.0/0', gw: '9.0.1.1' },
	{ dst: '10.0.0.0/8', gw: '9.0.1.1', table: 1000, mtu: 1300 },
	{ dst: '10.0.0.0/8', gw: '9.0.1.1', priority: 7 },
	{ dst: '10.1.0.0/16' },
	{ dst: '::/0', gw: 'fd00::1' },
];
const found: readonly [Route, number | undefined][] = [
	[{ dst: '0.0.0.0/0', gw: '9.0.1.1' }, 0],
	[{ dst: '0.0.0.0/0', gw: '9.0.1.2' }, undefined],
	[{ dst: '0.0.0.0/0' }, undefined],
	[{ dst: '10.0.0.0/8', gw: '9.0.1.1', table: 1000 }, 1],
	[{ dst: '10.0.0.0/8', gw: '9.0.1.1', table: 254 }, 2],
	[{ dst: '10.9.9.9/8', gw: '9.0.1.1' }, 2],
	[{ dst: '10.0.0.0/8', gw: '9.0.1.1', table: 1001 }, undefined],
	[{ dst: '10.1.0.0/16' }, 3],
	[{ dst: '10.1.0.0/15' }, undefined],
	[{ dst: '0:0::/0', gw: 'FD00:0::1' }, 4],
];
for (const [wanted, at] of found) {
	test(`${JSON.stringify(wanted)} is ${at === undefined ? 'not there' : `the route ${at}`}`, (t) => {
		t.is(findRoute(present, wanted), at === undefined ? undefined : present[at]);
	});
}
