using KestrelAcme.Certificates.Model;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Stopping;

/// <summary>An earlier process noted that it posts the challenge, and stopped: nobody knows whether the authority got it.</summary>
public sealed class EarlierPostTests
{
    private const string Name = "app.test";

    private static readonly IssuanceSettings Settings = new() { RepostAfter = TimeSpan.FromMinutes(20), SteadyAfter = TimeSpan.Zero };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(10, false)]
    [InlineData(30, true)]
    [InlineData(-30, true)]
    public async Task Start_PostNotedSomeMinutesAgo_ChallengeIsPostedAgainOnlyAfterTwenty(int minutesAgo, bool posts)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Challenge, Fault.NoAnswer, int.MaxValue);
        await using (var first = await StartAsync(fixture, TimeProvider.System))
        {
            var certificate = first.Services.GetRequiredService<CertificateCatalog>().Find(Name)!;
            await Poll.UntilAsync(
                () => certificate.State.StoredOrder?.PostedAt is not null,
                () => $"the first post\n{first.Log}",
                cancellationToken: Cancelled);
        }

        fixture.Authority.Faults.Clear();
        var asked = Questions(fixture);
        await using var second = await StartAsync(fixture, new ShiftedTimeProvider { Ahead = TimeSpan.FromMinutes(minutesAgo) });
        if (posts)
        {
            await second.ObtainedAsync(Name);
        }
        else
        {
            // By the second poll it is decided whether the challenge is posted again.
            await Poll.UntilAsync(
                () => Questions(fixture) >= asked + 3,
                () => $"polls of the authorization\n{second.Log}",
                cancellationToken: Cancelled);
        }

        Assert.Equal(posts ? 1 : 0, fixture.PostedChallenges);
    }

    private static int Questions(LocalFixture fixture) => fixture.Authority.Requests.Count(r => r.Resource == ResourceKind.Authorization);

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, TimeProvider time)
        => fixture.StartAppAsync(fixture.Settings(Name), configure: builder =>
        {
            builder.Services.AddSingleton(time);
            builder.Services.AddSingleton(Settings);
        });
}
