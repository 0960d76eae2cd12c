using System.Buffers.Text;
using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Challenges.Routing;

/// <summary>
/// Makes tokens that belong to no order, which only this instance, and those that share its store, respond to. Whoever responds to one at
/// an address of a name is this app.
/// </summary>
internal sealed class TrialTokens(Http01TokenTable tokens, IAccountThumbprints accounts, ConfigurationSource configuration)
{
    private const int TokenBytes = 32;

    /// <summary>Responds to a new token until the result is disposed.</summary>
    /// <param name="host">A managed name.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<TrialToken> AddAsync(string host, CancellationToken cancellationToken)
    {
        var token = RandomText();
        var (response, shared) = Describe(host, token);
        var trial = new TrialToken(token, response, shared is not null, tokens);
        try
        {
            await tokens.AddAsync(token, response, shared, cancellationToken);
            return trial;
        }
        catch
        {
            // It was canceled while the store said nothing.
            await trial.DisposeAsync();
            throw;
        }
    }

    // Other instances append the thumbprint of the account. Before there is one, only this instance can be found.
    private (string Response, SharedChallenge? Shared) Describe(string host, string token)
    {
        if (configuration.Current.Authorities is not [{ DirectoryUrl: var directory }, ..]
            || accounts.Find(directory) is not { } thumbprint)
        {
            return (RandomText(), null);
        }

        var shared = new SharedChallenge
        {
            Type = Http01TokenTable.Type,
            IdentifierType = IPAddress.TryParse(host, out _) ? "ip" : "dns",
            Identifier = host,
            Token = token,
            DirectoryUrl = directory,
            KeyHint = SharedChallenge.HintOf(thumbprint),
        };
        return ($"{token}.{thumbprint}", shared);
    }

    private static string RandomText() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
}

/// <summary>A token that belongs to no order.</summary>
/// <param name="Token">The token.</param>
/// <param name="Response">What this app returns for it.</param>
/// <param name="IsShared">Whether other instances with the same store return it, too.</param>
/// <param name="Table">Where it is removed.</param>
internal sealed record TrialToken(string Token, string Response, bool IsShared, Http01TokenTable Table) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Table.RemoveAsync(Token, CancellationToken.None);
        }
        catch (Exception)
        {
            // Whatever the store throws, what was found out with the token counts. Housekeeping removes what is left of it.
        }
    }

    public override string ToString() => Token;
}

/// <summary>The addresses of this machine's network interfaces.</summary>
internal static class OwnAddresses
{
    public static HashSet<IPAddress> Read()
        => [.. NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => Plain(a.Address))];

    /// <summary>Removes the scope: link-local addresses of interfaces have one, but addresses in DNS do not.</summary>
    public static IPAddress Plain(IPAddress address)
        => new(address.IsIPv4MappedToIPv6 ? address.MapToIPv4().GetAddressBytes() : address.GetAddressBytes());
}
