using System.Security.Cryptography;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Servers;

public sealed class CaddyTests : ServerTest
{
    [Fact]
    public async Task Obtain_SecondAuthority_WorksTheSame()
    {
        await using var caddy = await CaddyAcmeServer.StartAsync(cancellationToken: Cancellation);
        using var client = CreateClient(caddy.DirectoryUrl, caddy.TrustedRootsPem);
        using var accountKey = AccountKey.Generate();
        var account = await RegisterAsync(client, accountKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var order = await ObtainAsync(caddy.HttpPort, account, key, "localhost", "127.0.0.1");
        var chains = await account.DownloadAllChainsAsync(order.CertificateUrl!, Cancellation);

        Assert.Equal(2, Assert.Single(chains).Certificates.Count);
        Assert.Equal(AccountStatus.Valid, (await account.GetAsync(Cancellation)).Status);
        Assert.Equal(account.Url, (await client.FindAccountAsync(accountKey, Cancellation)).Url);
        // It lists unfinished orders, as a bare array.
        Assert.Empty((await account.GetOrdersAsync(Cancellation))!);
    }

    [Fact]
    public async Task FindAccountAsync_NoAccount_SaysSo()
    {
        await using var caddy = await CaddyAcmeServer.StartAsync(cancellationToken: Cancellation);
        using var client = CreateClient(caddy.DirectoryUrl, caddy.TrustedRootsPem);
        using var accountKey = AccountKey.Generate(AccountKeyAlgorithm.RS256);

        var exception = await Assert.ThrowsAsync<AcmeException>(() => client.FindAccountAsync(accountKey, Cancellation));

        Assert.True(exception.HasProblem(AcmeProblemTypes.AccountDoesNotExist));
    }
}
