using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests;

/// <summary>A CA, an HTTP server that all names resolve to, and a client.</summary>
internal sealed class AuthorityFixture : IAsyncDisposable
{
    private AuthorityFixture(LocalAcmeAuthority authority, ChallengeServer server, TestClient client) =>
        (Authority, Server, Client) = (authority, server, client);

    public LocalAcmeAuthority Authority { get; }

    public ChallengeServer Server { get; }

    public TestClient Client { get; }

    public static async Task<AuthorityFixture> StartAsync(Action<LocalAcmeAuthorityOptions>? configure = null, bool register = true)
    {
        var server = await ChallengeServer.StartAsync();
        var authority = await LocalAcmeAuthority.StartAsync(
            o =>
            {
                o.Resolve("*", server.Endpoint);
                o.ValidationHttpPort = server.Endpoint.Port;
                configure?.Invoke(o);
            },
            TestContext.Current.CancellationToken);
        var client = new TestClient(authority);
        if (register)
        {
            Assert.Equal(201, (await client.RegisterAsync()).Status);
        }

        return new AuthorityFixture(authority, server, client);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Authority.DisposeAsync();
        await Server.DisposeAsync();
    }
}
