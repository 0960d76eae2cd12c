using KestrelAcme.Certificates.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Tests.Servers;

/// <summary>Shortens the waits after failures, so that a test sees the next attempt.</summary>
internal static class QuickRetries
{
    public static IssuanceSettings Settings { get; } = new()
    {
        Retries = RetrySchedule.Default with { Name = [Wait], AuthorityFirst = Wait, AuthorityLongest = Wait, Local = Wait },
        SteadyAfter = Wait,
        RepostAfter = Wait,
        StoppingGrace = TimeSpan.FromMilliseconds(100),
    };

    private static TimeSpan Wait => TimeSpan.FromSeconds(1);

    public static void Configure(WebApplicationBuilder builder) => builder.Services.AddSingleton(Settings);
}
