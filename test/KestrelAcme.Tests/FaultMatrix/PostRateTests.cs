using System.Globalization;
using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Protocol;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>
/// How many requests an account makes when everything fails, whatever it is, and a person asks again and again. The second that is kept in
/// production is shortened.
/// </summary>
public abstract class PostRateTests<TGroup>(
    PostRateTests<TGroup>.Fixture fixture, ITestOutputHelper output) : IClassFixture<PostRateTests<TGroup>.Fixture>
    where TGroup : IFaultGroup
{
    private const int Failures = 3;
    private const string GoodName = "good.test";
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(40);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    // A fault that the same attempt survives is no failure.
    private static IReadOnlyList<FaultCase> Cases { get; } = [.. FaultGroups.Of<TGroup>().Where(c => c.State != CertificateState.Valid)];

    public static TheoryData<string> Names => [.. Cases.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Renew_FaultThatStays_OnePostInAnIntervalAfterThreeFailures(string fault)
    {
        var expected = Cases.Single(c => c.Name == fault);
        var authority = fixture.Local.Authority;
        try
        {
            var failing = true;
            for (var i = 0; i < Failures && failing; i++)
            {
                failing = await FailsAsync(expected);
            }

            var began = TimeProvider.System.GetTimestamp();
            var before = authority.Requests.Count(IsPost);
            for (var i = 0; i < Failures && failing; i++)
            {
                failing = await FailsAsync(expected);
            }

            var (posts, elapsed) = (authority.Requests.Count(IsPost) - before, TimeProvider.System.GetElapsedTime(began));
            output.WriteLine($"{posts} POSTs in {elapsed.TotalMilliseconds:0} ms");

            // One is sent before the first interval is over, and one may be on its way.
            Assert.True(failing || expected.Name.StartsWith(ChallengeFaults.Prefix, StringComparison.Ordinal), "A renewal succeeded.");
            Assert.InRange(posts, 0, (elapsed / Interval) + 2);
        }
        finally
        {
            authority.Faults.Clear();
            FaultMatrixSettings.ForgetOutage(fixture.App);
            if (expected.State == CertificateState.Blocked)
            {
                // A name is ordered by itself when the account is no longer refused, and would be counted in another case.
                await SucceedsAsync(NameOf(expected));
            }

            await SucceedsAsync(GoodName);
        }
    }

    // If the request was processed although its answer was lost, a later attempt succeeds.
    private async Task<bool> FailsAsync(FaultCase fault)
    {
        var name = NameOf(fault);
        fault.Arrange(fixture.Local.Authority, name);
        var exception = await Record.ExceptionAsync(() => fixture.App.Certificates.RenewAsync(name, Cancelled));
        Assert.True(exception is null or CertificateException, exception?.ToString());
        FaultMatrixSettings.ForgetOutage(fixture.App);
        return exception is not null;
    }

    private Task SucceedsAsync(string name) => Poll.UntilAsync(
        async _ => await Record.ExceptionAsync(() => fixture.App.Certificates.RenewAsync(name, Cancelled)) is null,
        () => $"an order for {name} that succeeds\n{fixture.App.Log}",
        cancellationToken: Cancelled);

    private static bool IsPost(AuthorityRequest request) => request.Method == "POST";

    private static string NameOf(FaultCase fault)
        => string.Create(CultureInfo.InvariantCulture, $"rate{Cases.ToList().IndexOf(fault)}.test");

    /// <summary>One application with a name for each fault.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        internal LocalFixture Local { get; private set; } = null!;

        internal AcmeApp App { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Local = await LocalFixture.StartAsync();
            var (timeout, longest) = (TimeSpan.FromMilliseconds(400), TimeSpan.FromMinutes(1));
            var settings = FaultMatrixSettings.Answering with
            {
                RequestTimeout = TGroup.Hangs ? timeout : longest,
                Polling = FaultMatrixSettings.Polling(TGroup.Hangs || TGroup.Polls ? timeout : longest),
                RequestRetries = new AcmeRetryOptions
                {
                    MaxAttempts = 2,
                    BaseDelay = TimeSpan.FromMilliseconds(1),
                    MaxDelay = TimeSpan.FromMilliseconds(5),
                    IntervalAfterFailures = Interval,
                },
            };
            string[] names = [.. Cases.Select(NameOf), GoodName];
            App = await Local.StartAppAsync(Local.Settings(names), configure: builder => builder.Services.AddSingleton(settings));
            foreach (var name in names)
            {
                await FaultMatrixSettings.ObtainedAsync(App, name, Cancelled);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            await Local.DisposeAsync();
        }
    }
}

[Long]
public sealed class NewOrderPostRateTests(PostRateTests<NewOrderFaults>.Fixture fixture, ITestOutputHelper output)
    : PostRateTests<NewOrderFaults>(fixture, output);

[Long]
public sealed class AuthorizationPostRateTests(PostRateTests<AuthorizationFaults>.Fixture fixture, ITestOutputHelper output)
    : PostRateTests<AuthorizationFaults>(fixture, output);

[Long]
public sealed class ChallengePostRateTests(PostRateTests<ChallengeFaults>.Fixture fixture, ITestOutputHelper output)
    : PostRateTests<ChallengeFaults>(fixture, output);

[Long]
public sealed class FinalizePostRateTests(PostRateTests<FinalizeFaults>.Fixture fixture, ITestOutputHelper output)
    : PostRateTests<FinalizeFaults>(fixture, output);

[Long]
public sealed class CertificatePostRateTests(PostRateTests<CertificateFaults>.Fixture fixture, ITestOutputHelper output)
    : PostRateTests<CertificateFaults>(fixture, output);

[Long]
public sealed class OtherPostRateTests(PostRateTests<OtherFaults>.Fixture fixture, ITestOutputHelper output)
    : PostRateTests<OtherFaults>(fixture, output);

[Long]
public sealed class HangingPostRateTests(PostRateTests<HangingFaults>.Fixture fixture, ITestOutputHelper output)
    : PostRateTests<HangingFaults>(fixture, output);
