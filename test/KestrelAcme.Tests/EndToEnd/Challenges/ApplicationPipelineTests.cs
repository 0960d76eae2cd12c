using System.Threading.RateLimiting;
using KestrelAcme.Challenges.Http01;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Challenges;

/// <summary>Whatever the application does with its requests, a challenge is answered.</summary>
public sealed class ApplicationPipelineTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public Task AllowedHosts_OtherHost_IsAnswered()
        => IsObtainedAsync(configure: b => b.Configuration["AllowedHosts"] = "somewhere.else", blocked: 400);

    [Fact]
    public Task Challenge_HttpsRedirection_IsAnswered()
        => IsObtainedAsync(b => b.Services.AddHttpsRedirection(o => o.HttpsPort = 443), a => a.UseHttpsRedirection(), 307);

    [Fact]
    public Task Challenge_AuthorizationFallback_IsAnswered() => IsObtainedAsync(
        b =>
        {
            b.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
            b.Services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        },
        a => a.UseAuthentication().UseAuthorization(),
        302);

    [Fact]
    public Task Challenge_ForwardedHeaders_IsAnswered() => IsObtainedAsync(
        b => b.Services.Configure<ForwardedHeadersOptions>(o => o.ForwardedHeaders = ForwardedHeaders.All),
        a => a.UseForwardedHeaders().UsePathBase("/base"),
        200);

    [Fact]
    public Task Challenge_RateLimiting_IsAnswered() => IsObtainedAsync(
        b => b.Services.AddRateLimiter(o => o.GlobalLimiter = PartitionedRateLimiter.Create<Microsoft.AspNetCore.Http.HttpContext, string>(
            _ => RateLimitPartition.Get("none", _ => new ClosedLimiter()))),
        a => a.UseRateLimiter(),
        503);

    private static async Task IsObtainedAsync(
        Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? pipeline = null, int blocked = 200)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings("app.test"), configure: configure, pipeline: pipeline);

        await app.ObtainedAsync("app.test");
        var (status, _) = await RawHttp.SendAsync(app.Http, "GET", "/", "any.test", Cancelled);
        await app.Services.GetRequiredService<Http01TokenTable>().AddAsync("token", "token.answer", null, Cancelled);
        var (answered, _) = await RawHttp.SendAsync(app.Http, "GET", Http01Path.Prefix + "token", "203.0.113.9:81", Cancelled);

        Assert.Equal(blocked, status);
        Assert.Equal(200, answered);
    }

    private sealed class ClosedLimiter : RateLimiter
    {
        public override TimeSpan? IdleDuration => null;

        public override RateLimiterStatistics? GetStatistics() => null;

        protected override RateLimitLease AttemptAcquireCore(int permitCount) => Refusal.Instance;

        protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
            => ValueTask.FromResult<RateLimitLease>(Refusal.Instance);
    }

    private sealed class Refusal : RateLimitLease
    {
        public static readonly Refusal Instance = new();

        public override bool IsAcquired => false;

        public override IEnumerable<string> MetadataNames => [];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = null;
            return false;
        }
    }
}
