// Many calls at once.
import test from 'ava';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attachment, invokeLater } from '../helpers/cni.ts';
import { createHost } from '../helpers/host.ts';
import { familiesOf, networkConfiguration } from '../helpers/network-configuration.ts';
import { widestFamily } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const COUNT = 32;

test.serial(`${COUNT} first ADDs at once, then as many DELs`, async (t) => {
	const host = createHost(t);
	const configuration = networkConfiguration(host, { ipam: { half: 'all' } }, widestFamily());
	const attachments = Array.from({ length: COUNT }, () => {
		const container = host.container();
		return { container, ...attachment(host, container, configuration) };
	});
	const answers = await Promise.all(attachments.map(({ call }) => invokeLater(host, call('ADD'))));
	const results = answers.map((answer) => resultOf(t, answer));
	const addresses = results.flatMap(({ ips }) => ips.map(({ address }) => address));
	t.is(new Set(addresses).size, familiesOf(widestFamily()).length * COUNT);
	t.is(new Set(results.map(({ interfaces }) => interfaces[1]?.name)).size, COUNT);
	const links = host.links();
	t.is(links.filter(({ linkinfo }) => linkinfo?.info_kind === 'bridge').length, 1);
	t.is(links.filter(({ master }) => master === host.bridge).length, COUNT);
	const gateways = familiesOf(widestFamily()).map((family) => ({ 4: '9.0.1.1/26', 6: 'fd00:9:0:1::1/64' })[family]);
	t.deepEqual(host.addresses(host.bridge), gateways);
	const [first, last] = [attachments[0]!.container, addresses.at(-2)!];
	t.true(ping(first, last.replace(/\/.*/u, '')));

	const deleted = await Promise.all(attachments.map(({ call }) => invokeLater(host, call('DEL'))));
	for (const answer of deleted) silent(t, answer);
	t.is(host.links().length, 2);
	t.deepEqual(host.snapshot().leases, {});
});

test.serial(
	'more ADDs at once than there are addresses: as many succeed as there are, the others leave nothing',
	async (t) => {
		const host = createHost(t);
		// the Mesos half of a /28: a gateway and five more
		const configuration = networkConfiguration(host, { ipam: { agentSubnet: '9.0.1.0/28', prefix: 28 } });
		const attachments = Array.from({ length: 12 }, () => attachment(host, host.container(), configuration));
		const answers = await Promise.all(attachments.map(({ call }) => invokeLater(host, call('ADD'))));
		t.deepEqual(
			answers.map(({ json }) => json?.code ?? 0).toSorted((one, other) => one - other),
			[...Array.from({ length: 5 }, () => 0), ...Array.from({ length: 7 }, () => 101)],
		);
		t.is(host.links().filter(({ master }) => master === host.bridge).length, 5);
	},
);

test.serial('first ADDs that fail take nothing from first ADDs that succeed', async (t) => {
	for (let turn = 0; turn < 4; turn++) {
		const host = createHost(t);
		const works = networkConfiguration(host);
		const fails = networkConfiguration(host, { ipam: { routes: [{ dst: '192.0.2.0/24', gw: '203.0.113.1' }] } });
		const attachments = Array.from({ length: 12 }, (_, index) => {
			const container = host.container();
			return { container, ...attachment(host, container, index % 2 === 0 ? works : fails) };
		});
		const answers = await Promise.all(attachments.map(({ call }) => invokeLater(host, call('ADD'))));
		for (const [index, answer] of answers.entries()) {
			if (index % 2 === 0) resultOf(t, answer);
			else refused(t, answer, 100, '203.0.113.1');
		}
		t.deepEqual(host.addresses(host.bridge), ['9.0.1.1/27']);
		t.is(host.links().filter(({ master }) => master === host.bridge).length, 6);
		t.is(Object.keys(host.snapshot().leases).filter((name) => name.includes('/addresses/')).length, 6);
		t.true(ping(attachments[0]!.container, '9.0.1.1'));
	}
});

test.serial('ADD and DEL of one attachment at once: afterwards a DEL leaves nothing', async (t) => {
	const host = createHost(t);
	const configuration = networkConfiguration(host);
	resultOf(t, attachment(host, host.container(), configuration).add());
	const clean = host.snapshot();
	for (let turn = 0; turn < 5; turn++) {
		const { call, del } = attachment(host, host.container(), configuration);
		await Promise.all([
			invokeLater(host, call('ADD')),
			invokeLater(host, call('DEL')),
			invokeLater(host, call('DEL')),
		]);
		silent(t, del());
		t.deepEqual(host.snapshot(), clean);
	}
});

test.serial('the same attachment twice at once: one of them wins, and is whole', async (t) => {
	const host = createHost(t);
	for (let turn = 0; turn < 5; turn++) {
		const { call, check, del } = attachment(host, host.container(), networkConfiguration(host));
		const answers = await Promise.all([invokeLater(host, call('ADD')), invokeLater(host, call('ADD'))]);
		const winners = answers.filter(({ status }) => status === 0);
		t.is(winners.length, 1, JSON.stringify(answers));
		const prevResult = winners[0]!.json;
		silent(t, check({ configuration: { ...networkConfiguration(host), prevResult } }));
		silent(t, del());
	}
});
