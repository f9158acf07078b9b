// The same configuration and the same calls, by host-local and by our address manager: the answers are the same.
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Answer, executable, invoke, toolDirectory } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { testOn } from '../helpers/requirements.ts';

type Step = readonly [command: 'ADD' | 'DEL', container: string, asksFor?: string];

/** What the answer of an ADD says; a refusal has other words in each of the two. */
function essence({ status, stdout, json }: Answer) {
	if (status !== 0) return 'refused';
	return stdout === '' ? 'done' : { ips: json?.ips, routes: json?.routes ?? [], dns: json?.dns ?? {} };
}

/** The answers of one of the two to all steps, in a data directory of its own. */
function answersOf(host: Host, plugin: string, text: string, steps: readonly Step[]): unknown[] {
	const { path: netns } = host.container();
	const configuration = text.replaceAll('DATA', join(host.directory, 'data', plugin.split('/').at(-1) ?? ''));
	const call = { executable: plugin, ifname: 'eth0', netns, path: toolDirectory, configuration };
	return steps.map(([command, containerId, ip]) =>
		essence(
			invoke(host, { ...call, command, containerId, cniArguments: ip === undefined ? undefined : `IP=${ip}` }),
		),
	);
}

/** Makes all steps with both, and gives the answers that they agree on. */
function agreed(t: ExecutionContext, ipam: object, steps: readonly Step[], keys: object = {}): unknown[] {
	const host = createHost(t);
	writeFileSync(
		join(host.directory, 'resolv.conf'),
		'nameserver 192.0.2.1 x\n;no\nsearch a b\nsearch c\ndomain d\noptions e f\n',
	);
	const text = JSON.stringify({
		cniVersion: '1.0.0',
		name: host.network,
		type: 'ptp',
		...keys,
		ipam: { type: 'host-local', dataDir: 'DATA', ...ipam },
	}).replaceAll('HOST', host.directory);
	const ours = join(host.directory, 'mesos-overlay-ipam');
	symlinkSync(executable, ours);
	const answers = answersOf(host, ours, text, steps);
	t.deepEqual(answers, answersOf(host, join(toolDirectory, 'host-local'), text, steps));
	return answers;
}

/** Adds more containers than there are addresses, with a DEL now and then. */
const crowd: readonly Step[] = Array.from({ length: 9 }, (_, at): readonly Step[] => [
	['ADD', `c${at}`],
	...(at % 3 === 2 ? [['DEL', `c${at - 1}`] as const] : []),
]).flat();

const small = { subnet: '10.1.2.0/29' };
const configurations: Readonly<Record<string, object>> = {
	'one subnet, in the old form': { ...small },
	'a part of a subnet, with routes and a resolver': {
		subnet: '10.1.2.0/24',
		rangeStart: '10.1.2.100',
		rangeEnd: '10.1.2.104',
		gateway: '10.1.2.102',
		routes: [{ dst: '0.0.0.0/0' }, { dst: '10.9.0.0/16', gw: '10.1.2.9' }],
		resolvConf: 'HOST/resolv.conf',
	},
	'a gateway outside the range': { ranges: [[{ subnet: '10.1.2.0/29', gateway: '10.1.2.6', rangeEnd: '10.1.2.4' }]] },
	'two ranges in a set': { ranges: [[{ subnet: '10.1.2.0/30' }, { subnet: '10.1.3.0/29', gateway: '10.1.3.3' }]] },
	'parts of one subnet, the upper one first': {
		ranges: [
			[
				{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.20', rangeEnd: '10.1.2.22' },
				{ subnet: '10.1.2.0/24', rangeEnd: '10.1.2.3' },
			],
		],
	},
	'both families': { ranges: [[small], [{ subnet: 'fd00::/125' }]], routes: [{ dst: '::/0' }] },
	'the old form in front of the new one': {
		...small,
		ranges: [[{ subnet: '10.1.3.0/28' }], [{ subnet: '2001:DB8::/64' }]],
	},
};

for (const [title, ipam] of Object.entries(configurations)) {
	testOn('reference-plugins', `the same addresses, gateways, routes and resolver: ${title}`, (t) => {
		const answers = agreed(t, ipam, crowd);
		t.true(answers.filter((answer) => typeof answer === 'object').length >= 5);
	});
}

testOn('reference-plugins', 'the same for ranges of the runtime', (t) => {
	const runtimeConfig = { ipRanges: [[{ subnet: '10.7.0.0/24', rangeStart: '10.7.0.9' }]] };
	agreed(t, { ranges: [[small], [{ subnet: 'fd00::/64' }]] }, crowd, { runtimeConfig });
});

testOn('reference-plugins', 'the same addresses are given and refused when they are asked for', (t) => {
	const asked: readonly Step[] = [
		'10.1.2.9',
		'10.1.2.9',
		'10.1.2.1',
		'10.1.2.4',
		'10.1.2.21',
		'10.1.9.9',
		'10.1.3.5',
		'10.1.3.1',
	].map((address, at) => ['ADD', `c${at}`, address] as const);
	const ranges = [
		[{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.5', rangeEnd: '10.1.2.20' }, { subnet: '10.1.3.0/24' }],
	];
	const answers = agreed(t, { ranges }, [['ADD', 'any'], ...asked, ['DEL', 'c0'], ['ADD', 'again', '10.1.2.9']]);
	t.deepEqual(
		answers.map((answer) => answer !== 'refused'),
		[true, true, false, false, false, false, false, true, false, true, true],
	);
});

for (const [title, ipam, keys] of [
	['host bits', { subnet: '10.1.2.1/24' }, {}],
	['a subnet that is too small', { subnet: '10.1.2.0/31' }, {}],
	['overlapping ranges in a set', { ranges: [[small, { subnet: '10.1.0.0/16' }]] }, {}],
	['overlapping sets', { ranges: [[small], [{ subnet: '10.1.2.4/30' }]] }, {}],
	['two families in a set', { ranges: [[small, { subnet: 'fd00::/64' }]] }, {}],
	['a start behind the end', { subnet: '10.1.2.0/24', rangeStart: '10.1.2.9', rangeEnd: '10.1.2.8' }, {}],
	['an end outside the subnet', { subnet: '10.1.2.0/24', rangeEnd: '10.1.3.8' }, {}],
	['an empty set', { ranges: [[]] }, {}],
	[
		'two addresses of a family for an old version',
		{ ranges: [[small], [{ subnet: '10.1.3.0/24' }]] },
		{ cniVersion: '0.2.0' },
	],
	['a resolver file that is missing', { ...small, resolvConf: '/nowhere/resolv.conf' }, {}],
] as const) {
	testOn('reference-plugins', `both refuse ${title}`, (t) => {
		t.deepEqual(agreed(t, ipam, [['ADD', 'c1']], keys), ['refused']);
	});
}
