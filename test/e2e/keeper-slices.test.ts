// Thousands of entries are applied in slices, between which other things happen.
import { agent, cluster } from '../helpers/cluster-state.ts';
import { createCluster, program, startKeeperOn } from '../helpers/cluster.ts';
import { until } from '../helpers/cluster-process.ts';
import { testOn } from '../helpers/requirements.ts';

const needs = ['vxlan', 'ipv6'] as const;

/** More than are applied before anybody can come between. */
const MANY = 3000;
const members = (count: number, first = 2) =>
	cluster([agent(1), ...Array.from({ length: count }, (_, at) => agent(at + first))]);

testOn(needs, 'what is wanted last wins, also over what is being applied', async (t) => {
	const [host] = createCluster(t, 1).hosts;
	if (host === undefined) throw new Error('one host');
	const keeper = startKeeperOn(t, host);
	const first = keeper.want(members(MANY));
	const countRoutes = () => Number(host.must(['sh', '-c', 'ip route show proto 124 | wc -l']));
	await until('the first routes', () => countRoutes() > 0, 10_000);
	const second = keeper.want(members(5, 2000));
	const [one, other] = await Promise.all([first, second]);
	t.deepEqual([one.failures, other.failures], [[], []]);
	const done = one.actions.filter((action) => action === 'setRoute').length;
	t.true(done > 5 && done < 2 * MANY, `${done} routes`);
	t.deepEqual(program(host, members(5, 2000)).actions, []);
	t.is((await keeper.stop()).status, 0);
});

testOn(needs, 'what somebody removes while others are being applied is put back', async (t) => {
	const [host] = createCluster(t, 1).hosts;
	if (host === undefined) throw new Error('one host');
	const keeper = startKeeperOn(t, host);
	t.deepEqual((await keeper.want(members(2))).failures, []);
	const applied = keeper.want(members(MANY));
	const remove = () => host.run(['ip', 'route', 'del', '9.0.2.0/24', 'proto', '124']).status === 0;
	const has = (dst: string) => host.must(['ip', 'route', 'show', dst]) !== '';
	await until('some of them', () => has('9.0.10.0/24'), 10_000);
	t.true(remove());
	t.deepEqual((await applied).causes, []);
	const { causes } = await keeper.next();
	t.regex(causes.join('\n'), /^route 9\.0\.2\.0\/24 via 44\.128\.0\.2 was removed by process \d+$/);
	t.deepEqual(program(host, members(MANY)).actions, []);
});
