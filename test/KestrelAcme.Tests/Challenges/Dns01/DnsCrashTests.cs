using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Storage.FileSystem;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

public sealed class DnsCrashTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_AfterKill_TheNextStartRemovesTheStaleRecord()
    {
        using var folder = new TemporaryFolder();
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using (var child = StorageChildProcess.Start("present", folder.Combine("store"), bind.Address.ToString(), bind.TsigKeyName, bind.TsigSecret))
        {
            await child.WaitForLineAsync("presented", cancellationToken: Cancelled);
            await child.KillAsync(Cancelled);
        }

        Assert.Single(await TxtQuery.AskAsync(bind.Address, "_acme-challenge.example.test", Cancelled));
        using var storage = new FileSystemStorage(folder.Combine("store"), TimeProvider.System, NullLogger<FileSystemStorage>.Instance);
        await using var next = new DnsFixture(BindSettings.For(bind), bind.Address.Port, storage);
        await next.StartAsync(Cancelled);

        await Poll.UntilAsync(
            async token => (await TxtQuery.AskAsync(bind.Address, "_acme-challenge.example.test", token)).Length == 0, $"the stale record to go\n{next.Log}", cancellationToken: Cancelled);
    }
}
