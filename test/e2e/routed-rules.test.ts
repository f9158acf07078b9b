// Routed addresses with host ports, masquerade, isolation and the check of addresses.
import type { ExecutionContext } from 'ava';
import { ask, serve } from '../helpers/answering.ts';
import { silent } from '../helpers/assertions.ts';
import type { Attached } from '../helpers/attach.ts';
import { type Host, createHost } from '../helpers/host.ts';
import type { Namespace } from '../helpers/namespace.ts';
import type { Configuration } from '../helpers/network-configuration.ts';
import { outside, uplink } from '../helpers/outside.ts';
import { testOn } from '../helpers/requirements.ts';
import { addressOf, attachRouted, gatewayOf } from '../helpers/routed.ts';

const families = [4, 6] as const;
const overlays = { overlay: '9.0.0.0/8', overlay6: 'fd00:9::/32' };

/** Two containers, of which the first answers, and has a port of the host. */
async function pair(t: ExecutionContext, host: Host, keys: Configuration): Promise<readonly [Attached, Attached]> {
	const runtimeConfig = {
		portMappings: ['tcp', 'udp'].map((protocol) => ({ hostPort: 8080, containerPort: 80, protocol })),
	};
	const web = attachRouted(t, host, 'dual stack', { ...keys, runtimeConfig, ipam: overlays });
	const neighbour = attachRouted(t, host, 'dual stack', { ...keys, ipam: overlays });
	web.container.must(['ip', 'link', 'set', 'lo', 'up']);
	await serve(t, web.container, 'web', [80]);
	return [web, neighbour];
}

/** What is seen at an address, by TCP and UDP alike; `nobody` when there is no answer. */
async function seenAt(from: Namespace, address: string, port: number): Promise<string> {
	const answers = await ask(
		from,
		(['tcp', 'udp'] as const).map((protocol) => ({ protocol, address, port })),
	);
	return [...new Set(answers.map((answer) => (answer?.name === 'web' ? answer.sees : 'nobody')))].join(' or ');
}

testOn('ipv6', 'a port of the host is reached from everywhere', async (t) => {
	const host = createHost(t);
	const machine = outside(t, host);
	const [web, neighbour] = await pair(t, host, {});
	for (const family of families) {
		const near = uplink[family].host;
		const paths: [title: string, from: Namespace, to: string][] = [
			['from outside', machine, near],
			['from the host', host, near],
			['from another container', neighbour.container, near],
			['from the container itself', web.container, near],
		];
		if (family === 4) paths.push(['by 127.0.0.1', host, '127.0.0.1']);
		if (family === 4) paths.push(['by the gateway', neighbour.container, gatewayOf(neighbour.result, 4)]);
		for (const [title, from, to] of paths) t.not(await seenAt(from, to, 8080), 'nobody', `${title}, IPv${family}`);
	}
	for (const { check, del } of [web, neighbour]) {
		silent(t, check());
		silent(t, del());
	}
});

testOn('ipv6', 'masquerade: neighbours see each other, and the world sees the host', async (t) => {
	const host = createHost(t);
	const machine = outside(t, host);
	await serve(t, machine, 'web', [80]);
	const [web, neighbour] = await pair(t, host, { ipMasq: true });
	for (const family of families) {
		t.is(await seenAt(neighbour.container, addressOf(web.result, family), 80), addressOf(neighbour.result, family));
		t.is(await seenAt(neighbour.container, uplink[family].outside, 80), uplink[family].host);
	}
});

testOn('ipv6', 'isolation of containers: only the host gets in, and whoever asks its port', async (t) => {
	const host = createHost(t);
	const machine = outside(t, host);
	for (const family of families) {
		machine.must(['ip', 'route', 'add', family === 4 ? '9.0.0.0/8' : 'fd00:9::/32', 'via', uplink[family].host]);
	}
	const [web, neighbour] = await pair(t, host, { isolation: 'container' });
	for (const family of families) {
		const address = addressOf(web.result, family);
		t.is(await seenAt(neighbour.container, address, 80), 'nobody');
		t.is(await seenAt(machine, address, 80), 'nobody');
		t.not(await seenAt(host, address, 80), 'nobody');
		t.not(await seenAt(neighbour.container, uplink[family].host, 8080), 'nobody');
	}
	for (const { check } of [web, neighbour]) silent(t, check());
});

testOn(
	['ipv6', 'nftables-bridge'],
	'the check of addresses lets a container send from its own, and from no other',
	async (t) => {
		const host = createHost(t);
		const [web, neighbour] = await pair(t, host, { spoofCheck: true });
		for (const family of families) {
			t.is(
				await seenAt(neighbour.container, addressOf(web.result, family), 80),
				addressOf(neighbour.result, family),
			);
		}
		neighbour.container.must(['ip', 'address', 'add', '9.0.1.30/32', 'dev', 'eth0']);
		neighbour.container.must([
			'ip',
			'route',
			'replace',
			'default',
			'via',
			gatewayOf(web.result, 4),
			'src',
			'9.0.1.30',
		]);
		t.is(await seenAt(neighbour.container, addressOf(web.result, 4), 80), 'nobody');
	},
);
