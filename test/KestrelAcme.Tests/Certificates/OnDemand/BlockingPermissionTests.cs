using KestrelAcme.Certificates;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Certificates.OnDemand;

public sealed class BlockingPermissionTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AskAsync_PermissionBlocksItsThread_IsUnknownInTime()
    {
        // Not disposed, because a thread may still wait for it.
        var unblocked = new ManualResetEventSlim();
        await using var parts = new EngineParts([], acme: https => https.AddOnDemand((_, _, _) =>
        {
            unblocked.Wait(Cancelled);
            return new(IssuanceDecision.Allow());
        }));
        var permission = parts.Get<OnDemandPermission>();
        var asking = Task.Run(() => permission.AskAsync("a.test", client: null, hasCertificate: false, Cancelled), Cancelled);

        await Poll.UntilAsync(
            () =>
            {
                parts.Time.Advance(TimeSpan.FromSeconds(5));
                return asking.IsCompleted;
            },
            "the decision",
            cancellationToken: Cancelled);

        unblocked.Set();
        Assert.Equal((false, null), ((await asking).IsAllowed, (await asking).Denial));
    }
}
