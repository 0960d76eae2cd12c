using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Tests.Certificates.Orders;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Authorities;

public sealed class AccountBlocksClockTests
{
    /// <summary>The refusal of a time to come would count as the one that was just found out, and the pauses would not grow.</summary>
    [Fact]
    public async Task Block_ClockWasSetBack_PauseBeginsNow()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var parts = new EngineParts(["app.test"]);
        parts.Clients.Make = static specification => new DirectoryOnlyClient(specification, []);
        var blocks = parts.Get<AuthorityRegistry>().Get(parts.Get<ConfigurationSource>().Current.Authorities[0]).Blocks;
        var before = parts.Time.GetUtcNow();
        parts.Time.SetUtcNow(before.AddYears(1));
        await blocks.BlockAsync(profile: null, "The account is deactivated.", Facts(), cancelled);
        parts.Time.SetUtcNow(before);
        Assert.Null(blocks.Active(profile: null));

        await blocks.BlockAsync(profile: null, "The account is deactivated.", Facts(), cancelled);

        Assert.Equal(before, blocks.Active(profile: null)?.At);

        RefusalFacts Facts() => new(ProblemType: null, AtOrder: true, Cause: null) { Since = parts.Time.GetUtcNow() };
    }
}
