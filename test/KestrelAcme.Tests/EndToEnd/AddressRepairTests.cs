using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Names;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A name whose validation fails for where its addresses lead, until a person corrects them.</summary>
public sealed class AddressRepairTests
{
    private const string Name = "app.test";

    // After the first failure the next attempt is a day away.
    private static readonly IssuanceSettings Settings = new()
    {
        Retries = RetrySchedule.Default with { Name = [TimeSpan.FromDays(1)] },
        RecordLook = TimeSpan.FromMilliseconds(20),
        LongestRecordLook = TimeSpan.FromMilliseconds(40),
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Order_AddressesAreCorrected_IsTriedAgainSoon(bool hadAddresses)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.FailValidation(Name);
        var places = new Places(hadAddresses ? _ => [IPAddress.Parse("192.0.2.1")] : _ => []);
        await using var app = await StartAsync(fixture, places);
        await places.LooksAsync(10, app);
        Assert.Equal(1, Orders(fixture));

        fixture.Authority.Faults.Clear();
        places.Answer = _ => [IPAddress.Parse("192.0.2.2")];

        await app.ObtainedAsync(Name);
        Assert.Equal(2, Orders(fixture));
        Assert.True(app.Log.Has("RecordsChanged"));
    }

    [Fact]
    public async Task Order_AddressesAreCorrectedWhileStopped_IsTriedAfterTheStart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.FailValidation(Name);
        var places = new Places(_ => [IPAddress.Parse("192.0.2.1")]);
        await using (var before = await StartAsync(fixture, places))
        {
            await places.LooksAsync(3, before);
            await before.StopAsync(Cancelled);
        }

        fixture.Authority.Faults.Clear();
        places.Answer = _ => [IPAddress.Parse("192.0.2.2")];

        await using var after = await StartAsync(fixture, places);
        await after.ObtainedAsync(Name);
    }

    /// <summary>
    /// Answers that rotate: two sets in turn, each twice; a pool that never shows the same set again; and one that shows each twice.
    /// </summary>
    [Theory]
    [InlineData(2, 2, 40, 2)]
    [InlineData(1000, 1, 40, 1)]
    [InlineData(1000, 2, 13, 4)]
    public async Task Order_AddressesRotate_BurnsFewValidations(int sets, int times, int looks, int most)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.FailValidation(Name);
        var places = new Places(
            look => [new IPAddress(new byte[] { 10, 0, (byte)(look / times % sets / 256), (byte)(look / times % sets) })]);

        await using var app = await StartAsync(fixture, places);
        await places.LooksAsync(looks, app);

        Assert.InRange(Orders(fixture), 1, most);
    }

    private static int Orders(LocalFixture fixture)
        => fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 });

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, Places places)
        => fixture.StartAppAsync(fixture.Settings(Name), configure: builder =>
        {
            builder.Services.AddSingleton(Settings);
            builder.Services.AddSingleton<INameRouting>(places);
        });

    private sealed class Places(Func<int, IReadOnlyList<IPAddress>> answer) : INameRouting
    {
        private readonly ConcurrentQueue<int> _looks = new();

        public Func<int, IReadOnlyList<IPAddress>> Answer { get; set; } = answer;

        public Task LooksAsync(int more, AcmeApp app)
        {
            var before = _looks.Count;
            return Poll.UntilAsync(
                () => _looks.Count >= before + more, $"{more} looks at the addresses\n{app.Log}", cancellationToken: Cancelled);
        }

        public Task<NameRoute> FindAsync(CertificateIdentifier name, bool provenByDns, CancellationToken cancellationToken)
            => Task.FromResult(NameRoute.Unknown);

        public Task<IReadOnlyList<NameAddresses>> ReadAddressesAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
        {
            var look = _looks.Count;
            _looks.Enqueue(look);
            return Task.FromResult<IReadOnlyList<NameAddresses>>([.. names.Select(n => new NameAddresses(n, Answer(look)))]);
        }
    }
}
