using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Servers;

public sealed class PebbleAccountTests : ServerTest
{
    [Fact]
    public async Task Account_WholeLife_WorksWithHalfTheNoncesRejected()
    {
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { NonceRejectPercent = 50 }, Cancellation);
        using var client = CreateClient(pebble);
        using var key = AccountKey.Generate();
        using var newKey = AccountKey.Generate(AccountKeyAlgorithm.ES384);
        var account = await RegisterAsync(client, key);
        Assert.True(account.IsNew);

        var found = await client.FindAccountAsync(key, Cancellation);
        Assert.Equal(account.Url, found.Url);
        Assert.False((await RegisterAsync(client, key)).IsNew);

        var details = await account.UpdateContactsAsync(["mailto:other@example.com"], Cancellation);
        Assert.Equal(["mailto:other@example.com"], details.Contacts);
        Assert.Equal(AccountStatus.Valid, (await account.GetAsync(Cancellation)).Status);

        var renewed = await account.RolloverKeyAsync(newKey, Cancellation);
        Assert.Equal(account.Url, (await client.FindAccountAsync(newKey, Cancellation)).Url);
        await Assert.ThrowsAsync<AcmeException>(() => account.GetAsync(Cancellation));

        Assert.Equal(AccountStatus.Deactivated, (await renewed.DeactivateAsync(Cancellation)).Status);
        await Assert.ThrowsAsync<AcmeException>(() => renewed.GetAsync(Cancellation));
    }

    [Fact]
    public async Task CreateAccountAsync_BindingRequired_OnlyWithTheRightKey()
    {
        const string hmacKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
        var keys = new Dictionary<string, string> { ["kid-1"] = hmacKey };
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { ExternalAccountKeys = keys }, Cancellation);
        using var client = CreateClient(pebble);
        using var key = AccountKey.Generate();
        using var wrong = new ExternalAccountBinding("kid-1", "AAAA");
        using var right = new ExternalAccountBinding("kid-1", hmacKey);

        Assert.True((await client.GetDirectoryAsync(Cancellation)).Meta.ExternalAccountRequired);
        var none = await Assert.ThrowsAsync<AcmeException>(() => RegisterAsync(client, key));
        Assert.True(none.HasProblem(AcmeProblemTypes.ExternalAccountRequired));
        await Assert.ThrowsAsync<AcmeException>(() => RegisterAsync(client, key, wrong));
        Assert.True((await RegisterAsync(client, key, right)).IsNew);
    }

    [Fact]
    public async Task DeactivateAuthorizationAsync_Pending_IsDeactivated()
    {
        await using var at = await PebbleAccount.StartAsync();
        var order = await at.Account.CreateOrderAsync(new() { Identifiers = [AcmeIdentifier.Dns("a.example")] }, Cancellation);

        var authorization = await at.Account.DeactivateAuthorizationAsync(order.AuthorizationUrls[0], Cancellation);

        Assert.Equal(AuthorizationStatus.Deactivated, authorization.Status);
    }

    [Fact]
    public async Task CreateOrderAsync_BlockedName_IsNamed()
    {
        await using var at = await PebbleAccount.StartAsync(new PebbleOptions { Blocklist = ["blocked.example"] });

        var exception = await Assert.ThrowsAsync<AcmeException>(
            () => at.Account.CreateOrderAsync(new() { Identifiers = [AcmeIdentifier.Dns("blocked.example")] }, Cancellation));

        Assert.True(exception.HasProblem(AcmeProblemTypes.RejectedIdentifier));
        Assert.Contains("blocked.example", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetOrdersAsync_MoreThanAPage_AllAreListed()
    {
        await using var at = await PebbleAccount.StartAsync();
        var urls = new List<Uri>();

        // Pebble puts three on a page.
        for (var i = 0; i < 4; i++)
        {
            urls.Add((await at.Account.CreateOrderAsync(new() { Identifiers = [AcmeIdentifier.Dns($"n{i}.example")] }, Cancellation)).Url);
        }

        var orders = await at.Account.GetOrdersAsync(Cancellation);

        Assert.NotNull(orders);
        Assert.Equal(urls.Select(u => u.ToString()).Order(), orders.Select(u => u.ToString()).Order());
    }

    [Fact]
    public async Task CreateOrderAsync_ServerForgotTheAccount_SaysSoAndRegistersAgain()
    {
        await using var at = await PebbleAccount.StartAsync();
        await at.Pebble.RestartAsync(Cancellation);

        var exception = await Assert.ThrowsAsync<AcmeException>(
            () => at.Account.CreateOrderAsync(new() { Identifiers = [AcmeIdentifier.Dns("a.example")] }, Cancellation));
        Assert.True(exception.HasProblem(AcmeProblemTypes.AccountDoesNotExist));

        Assert.True((await RegisterAsync(at.Client, at.Account.Key)).IsNew);
    }

    [Fact]
    public async Task GetDirectoryAsync_RootNotTrusted_SaysWhichLinkIsNotKnown()
    {
        await using var pebble = await PebbleServer.StartAsync(cancellationToken: Cancellation);
        using var client = new AcmeClient(pebble.DirectoryUrl);

        var exception = await Assert.ThrowsAsync<AcmeUnreachableException>(() => client.GetDirectoryAsync(Cancellation));

        Assert.True(exception.IsTlsFailure);
        Assert.Equal(AcmeUnreachableReason.CertificateNotTrusted, exception.Reason);
        Assert.Contains("its chain ends in 'CN=", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetDirectoryAsync_NameNotInTheCertificate_IsRefusedDespiteTheRoot()
    {
        await using var pebble = await PebbleServer.StartAsync(cancellationToken: Cancellation);
        var roots = new System.Security.Cryptography.X509Certificates.X509Certificate2Collection();
        roots.ImportFromPem(pebble.TrustedRootsPem);
        var url = new UriBuilder(pebble.DirectoryUrl) { Host = "127.0.0.2" }.Uri;
        await using var proxy = new PortForwarder(System.Net.IPAddress.Parse("127.0.0.2"), pebble.DirectoryUrl.Port);
        using var client = new AcmeClient(url, new AcmeClientOptions { TrustedRoots = roots });

        var exception = await Assert.ThrowsAsync<AcmeUnreachableException>(() => client.GetDirectoryAsync(Cancellation));

        Assert.True(exception.IsTlsFailure);
        Assert.Equal(AcmeUnreachableReason.CertificateNameMismatch, exception.Reason);
        Assert.Contains("not for 127.0.0.2", exception.Message, StringComparison.Ordinal);
    }
}
