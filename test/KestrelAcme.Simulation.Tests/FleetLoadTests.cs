using KestrelAcme.Certificates.Model;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Simulation.Tests;

/// <summary>
/// What a fleet asks of its store, in simulated time: at a start of all replicas at once, at rest, and on a day when all certificates are
/// renewed. The answers to challenges are not in it: the CA of the simulation has its own. How late a renewal is whose first replica died.
/// </summary>
/// <remarks>
/// The figures for 50 replicas and 10,000 certificates in docs/fleets.md follow from these: each part grows with one product.
/// </remarks>
[Long]
[Collection(nameof(Alone))]
public sealed class FleetLoadTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(2, 64)]
    [InlineData(8, 64)]
    [InlineData(4, 128)]
    public Task Load_ReplicasAndCertificates_IsCounted(int replicas, int certificates) => Simulation.RunAsync(async () =>
    {
        using var world = new FleetLoadWorld(replicas, certificates);
        await world.ObtainAsync();

        var start = await world.StartAllAsync();
        await world.PassAsync(Hour);
        world.Storage.Take();
        world.Storage.Written.Clear();
        await world.PassAsync(24 * Hour);
        var rest = world.Storage.Take();
        string[] written = [.. world.Storage.Written];
        await world.UntilRenewalsBeginAsync();
        world.Storage.Take();
        var began = world.Now;
        await world.UntilRenewedAsync();
        await world.PassAsync(Hour);
        var renewals = world.Storage.Take();
        var days = (world.Now - began) / (24 * Hour);
        await world.StopAsync();

        output.WriteLine($"{replicas} replicas, {certificates} certificates");
        output.WriteLine($"start:    {start} = {start.Operations} operations");
        output.WriteLine($"a day:    {rest} = {rest.Operations} operations");
        output.WriteLine($"renewals: {renewals} = {renewals.Operations} operations");

        // At rest: four polls a day for the renewal information of each certificate, by one replica, which takes the lease, reads and
        // stores; and less than one look a minute by each replica, at what the others stored. All are due at once here, which is the worst
        // case: another replica takes its turn before the first has polled for all of them.
        Assert.True(rest.Leases <= certificates * 8, $"{rest.Leases} leases");
        Assert.True(
            rest.Operations <= (certificates * 32) + (replicas * 24 * 60),
            $"{rest.Operations} operations in a day of {replicas} replicas");

        // Once a day all ask for the lease of housekeeping, and nobody else's is in the way.
        Assert.InRange(rest.LeasesRefused, 0, replicas - 1);

        // For what else is written, a store without notifications looks more often (ChangePace).
        Assert.All(written, folder => Assert.Contains(folder, (string[])["states", "replicas", "housekeeping", "revocation-lists"]));

        // What happens at rest, too, is left out. One replica orders. Each other one reads the result, once, and lets it go first: with 50
        // replicas, fewer than a hundred operations.
        var each = (renewals.Operations - (rest.Operations * days)) / certificates;
        output.WriteLine($"a renewal: {each:0.0} operations");
        Assert.InRange(each, 0, 22 + (1.5 * replicas));
        Assert.Equal(0, renewals.LeasesRefused / certificates);
    });

    [Fact]
    public Task Renewals_TheFirstDiesInTheMiddle_AnotherOneTakesItsTurn() => Simulation.RunAsync(async () =>
    {
        using var world = new FleetLoadWorld(replicas: 4, certificates: 24);
        await world.ObtainAsync();
        await world.StartAllAsync();
        await world.PassAsync(24 * Hour);
        await world.KillInTheMiddleAsync();
        var due = world.Due();
        await world.UntilRenewedAsync();
        await AssertLateAsync(world, due, TimeSpan.FromMinutes(5));
    });

    [Fact]
    public Task Renewals_AllOthersDieJustBefore_TheLastOneTakesItsTurn() => Simulation.RunAsync(async () =>
    {
        using var world = new FleetLoadWorld(replicas: 4, certificates: 8);
        await world.ObtainAsync();
        await world.StartAllAsync();
        await world.PassAsync(24 * Hour);
        var due = world.Due();
        await world.PassUntilAsync(due.Values.Min() - TimeSpan.FromMinutes(1));
        await world.KillAllButOneAsync();
        await world.UntilRenewedAsync();
        await AssertLateAsync(world, due, TimeSpan.FromMinutes(7));
    });

    private async Task AssertLateAsync(FleetLoadWorld world, Dictionary<string, DateTimeOffset> due, TimeSpan most)
    {
        var late = world.Late(due).Order().ToList();
        await world.StopAsync();
        output.WriteLine($"late by {string.Join(", ", late.Select(l => $"{l.TotalSeconds:0}"))} s");
        Assert.InRange(late[^1], TimeSpan.Zero, most);
        Assert.InRange(late[late.Count / 2], TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }

    private sealed class FleetLoadWorld : IDisposable
    {
        private readonly SimulatedClock _clock = new();
        private readonly CertificateMint _mint;
        private readonly SimulatedAuthority _authority;
        private readonly Random _jitter = new(1);
        private readonly int _replicas;
        private readonly int _certificates;
        private readonly List<SimulatedProcess> _processes = [];

        // After the URL of the order was stored.
        private const int MiddleOfOrder = 6;

        public FleetLoadWorld(int replicas, int certificates)
        {
            (_replicas, _certificates) = (replicas, certificates);
            _mint = new CertificateMint(_clock.Start);
            var weather = Weather.Draw(seed: 1, _clock.Start, _clock.Start.AddDays(1), WeatherRates.None);
            _authority = new SimulatedAuthority(_clock, weather, _mint, _ => TimeSpan.FromDays(45), seed: 1);
            Storage = new CountingStorage(new InMemoryStorage(_clock.Machine));
        }

        public CountingStorage Storage { get; }

        public async Task ObtainAsync()
        {
            await StartAsync();
            await UntilAsync(() => _authority.Issued.Count == _certificates, TimeSpan.FromDays(2));
            await StopAsync();
            Storage.Take();
        }

        public async Task<StorageCounts> StartAllAsync()
        {
            for (var i = 0; i < _replicas; i++)
            {
                await StartAsync();
            }

            await PassAsync(TimeSpan.FromMinutes(1));
            return Storage.Take();
        }

        public DateTimeOffset Now => _clock.Now;

        /// <summary>Kills a replica in the middle of its first order.</summary>
        public async Task KillInTheMiddleAsync()
        {
            var first = _processes[0];
            first.KillDuringOrder(MiddleOfOrder);
            await UntilAsync(() => first.IsDead, TimeSpan.FromDays(45));
            await KillAsync(first);
        }

        public async Task KillAllButOneAsync()
        {
            foreach (var process in _processes[1..])
            {
                await KillAsync(process);
            }
        }

        private async Task KillAsync(SimulatedProcess process)
        {
            _processes.Remove(process);
            var ending = process.Kill();
            await UntilAsync(() => ending.IsCompleted, TimeSpan.FromDays(1));
            await ending;
        }

        public Task PassUntilAsync(DateTimeOffset time) => UntilAsync(() => _clock.Now >= time, TimeSpan.FromDays(45));

        /// <summary>When each name is due, as the replicas that live plan it.</summary>
        public Dictionary<string, DateTimeOffset> Due()
            => _processes[0].Certificates.List().ToDictionary(c => c.DomainNames[0], c => c.NextOrder!.Value);

        /// <summary>How late each name was renewed.</summary>
        public IEnumerable<TimeSpan> Late(Dictionary<string, DateTimeOffset> due)
            => _authority.Issued.Skip(_certificates).Select(c => c.IssuedAt - due[c.Name]).Where(l => l > TimeSpan.Zero);

        public Task UntilRenewalsBeginAsync() => UntilAsync(() => _authority.Issued.Count > _certificates, TimeSpan.FromDays(45));

        public Task UntilRenewedAsync() => UntilAsync(() => _authority.Issued.Count >= 2 * _certificates, TimeSpan.FromDays(45));

        public Task PassAsync(TimeSpan span)
        {
            var end = _clock.Now + span;
            return UntilAsync(() => _clock.Now >= end, span);
        }

        public async Task StopAsync()
        {
            foreach (var process in _processes)
            {
                var ending = process.StopAsync();
                await UntilAsync(() => ending.IsCompleted, TimeSpan.FromDays(1));
                await ending;
            }

            _processes.Clear();
        }

        public void Dispose() => _mint.Dispose();

        private async Task StartAsync()
        {
            var configuration = SimulatedConfiguration.Create(SimulatedConfiguration.Names("fleet", _certificates));
            var process = new SimulatedProcess(_authority, Storage, configuration, new IssuanceSettings(), _jitter)
            {
                IsInFleet = true,
            };
            _processes.Add(process);
            var loading = process.LoadAsync();
            await UntilAsync(() => loading.IsCompleted, TimeSpan.FromDays(1));
            await loading;
            process.Start();
        }

        private async Task UntilAsync(Func<bool> done, TimeSpan limit)
        {
            var end = _clock.Now + limit;
            await Quiet.WhenIdleAsync();
            while (!done())
            {
                Assert.True(_clock.Now <= end, $"Not done within {limit}: {_authority.Issued.Count} were issued.");
                _clock.Machine.AdvanceToNextTimer();
                await Quiet.WhenIdleAsync();
            }
        }
    }
}
