// The stream of changes.
import ava from 'ava';
import { ask, createPlace, register, startMaster, watch } from '../helpers/master.ts';

// one master at a time
const test = ava.serial;

test('a stream of changes: everything first, then what has changed, then from there on', async (t) => {
	const master = await startMaster(t, createPlace(t));
	await register(master, '10.0.0.1');
	const stream = await watch(t, master);
	const first = await stream.next();
	t.is(first.event, 'snapshot');
	t.like(first.data.agents, { 0: { ip: '10.0.0.1', vtep: { ip: '44.128.0.1' } }, length: 1 });

	await register(master, '10.0.0.2');
	const second = await stream.next();
	t.like(second, { event: 'change', data: { agents: [{ ip: '10.0.0.2' }], removedAgents: [] } });
	t.false('networks' in second.data);
	await ask(master, 'POST', '/overlay-master/agents/delete', { agents: ['10.0.0.1'], force: true });
	const third = await stream.next();
	t.like(third, { event: 'change', data: { agents: [], removedAgents: ['10.0.0.1'] } });
	stream.end();

	const later = await watch(t, master, `?from=${second.data.revision}`);
	t.like(await later.next(), { event: 'change', data: { removedAgents: ['10.0.0.1'] } });
	const current = await watch(t, master, '', { 'last-event-id': third.data.revision });
	await register(master, '10.0.0.3');
	t.like(await current.next(), { event: 'change', data: { agents: [{ ip: '10.0.0.3' }] } });
	for (const unknown of ['0', 'nonsense', '99-abc']) {
		t.is((await (await watch(t, master, `?from=${unknown}`)).next()).event, 'snapshot', unknown);
	}
});

test('a change is told within a tenth of a second', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const streams = await Promise.all(Array.from({ length: 20 }, () => watch(t, master)));
	await Promise.all(streams.map((stream) => stream.next()));
	const times: number[] = [];
	for (let at = 1; at <= 10; at++) {
		await register(master, `10.0.0.${at}`);
		const begin = performance.now();
		await Promise.all(streams.map((stream) => stream.next()));
		times.push(performance.now() - begin);
	}
	t.true(times.toSorted((one, other) => one - other)[5]! < 100, `${times.map(Math.round)}`);
});
