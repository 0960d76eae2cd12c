using System.Security.Cryptography;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Servers;

/// <summary>A Pebble with an account.</summary>
internal sealed class PebbleAccount : IAsyncDisposable
{
    private PebbleAccount(PebbleServer pebble, AcmeClient client, AcmeAccount account) =>
        (Pebble, Client, Account) = (pebble, client, account);

    public PebbleServer Pebble { get; }

    public AcmeClient Client { get; }

    public AcmeAccount Account { get; }

    public static async Task<PebbleAccount> StartAsync(
        PebbleOptions? options = null, AccountKeyAlgorithm algorithm = AccountKeyAlgorithm.ES256)
    {
        var pebble = await PebbleServer.StartAsync(options, TestContext.Current.CancellationToken);
        var client = ServerTest.CreateClient(pebble);
        var key = AccountKey.Generate(algorithm);
        try
        {
            return new PebbleAccount(pebble, client, await ServerTest.RegisterAsync(client, key));
        }
        catch
        {
            key.Dispose();
            client.Dispose();
            await pebble.DisposeAsync();
            throw;
        }
    }

    /// <summary>Performs all steps to a valid order.</summary>
    public Task<Order> ObtainAsync(AsymmetricAlgorithm key, params string[] names) =>
        ServerTest.ObtainAsync(Pebble.HttpPort, Account, key, names);

    public async ValueTask DisposeAsync()
    {
        Account.Key.Dispose();
        Client.Dispose();
        await Pebble.DisposeAsync();
    }
}
