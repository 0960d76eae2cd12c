using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Protocol;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;

namespace ConsoleClient;

/// <summary>Obtains a certificate, from the URL of the CA's directory to the files, one step after the other.</summary>
internal sealed class CertificateOrder(CommandLine command, TextWriter output)
{
    /// <exception cref="AcmeException">The CA rejected a request or cannot be reached.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var client = new AcmeClient(command.DirectoryUrl, new AcmeClientOptions
        {
            TrustedRoots = ReadTrustedRoots(),
            UserAgentProduct = new("ConsoleClient", "1.0"),
        });
        await ShowDirectoryAsync(client, cancellationToken);
        Directory.CreateDirectory(command.OutFolder);
        using var accountKey = ReadOrCreateAccountKey();
        var account = await OpenAccountAsync(client, accountKey, cancellationToken);

        var request = new NewOrderRequest { Identifiers = command.Identifiers, Profile = command.Profile };
        var order = await account.CreateOrderAsync(request, cancellationToken);
        Say("order", $"{order.Url} is {order.Status}, ends {order.Expires:u}");

        await ProveControlAsync(account, order, cancellationToken);
        order = await account.WaitForOrderAsync(order.Url, status => status != OrderStatus.Pending, cancellationToken: cancellationToken);
        await FinalizeAsync(account, order, cancellationToken);
    }

    private async Task ShowDirectoryAsync(AcmeClient client, CancellationToken cancellationToken)
    {
        var directory = await client.GetDirectoryAsync(cancellationToken);
        Say("directory", $"{directory.Url}; its clock differs by {Math.Abs(client.ClockSkew?.TotalSeconds ?? 0):0} s");
        if (directory.Meta.TermsOfService is { } terms)
        {
            Say("terms", terms);
        }

        if (directory.Meta.Profiles.Count > 0)
        {
            Say("profiles", string.Join(", ", directory.Meta.Profiles.Keys));
        }
    }

    private async Task<AcmeAccount> OpenAccountAsync(AcmeClient client, AccountKey key, CancellationToken cancellationToken)
    {
        using var binding = command.ExternalAccountKeyId is { } keyId
            ? new ExternalAccountBinding(keyId, Environment.GetEnvironmentVariable("ACME_EAB_HMAC_KEY") ?? "")
            : null;
        var request = new NewAccountRequest
        {
            Contacts = command.Email is { } email ? [email] : [],
            TermsOfServiceAgreed = command.AcceptTerms,
            ExternalAccountBinding = binding,
        };
        var account = await client.CreateAccountAsync(key, request, cancellationToken);
        Say("account", $"{account.Url} ({(account.IsNew ? "new" : "known")}, {key})");
        return account;
    }

    private async Task ProveControlAsync(AcmeAccount account, Order order, CancellationToken cancellationToken)
    {
        await using var responder = Http01Responder.Start(command.HttpPort, output.WriteLine);
        foreach (var url in order.AuthorizationUrls)
        {
            var authorization = await account.GetAuthorizationAsync(url, cancellationToken);
            Say("name", $"{authorization.Identifier} is {authorization.Status}");
            if (authorization.Status == AuthorizationStatus.Valid)
            {
                continue;
            }

            var challenge = authorization.FindChallenge(AcmeChallengeTypes.Http01);
            if (challenge?.Token is not { } token)
            {
                throw new AcmeException($"The CA offers no http-01 challenge for {authorization.Identifier}.");
            }

            responder.Add(token, account.Key.KeyAuthorization(token));
            await account.AcceptChallengeAsync(challenge.Url, cancellationToken);
            Say("challenge", $"http-01 for {authorization.Identifier} accepted, token {token}");
            Require(await account.WaitForAuthorizationAsync(url, cancellationToken: cancellationToken));
            Say("name", $"{authorization.Identifier} is {AuthorizationStatus.Valid}");
        }
    }

    private async Task FinalizeAsync(AcmeAccount account, Order order, CancellationToken cancellationToken)
    {
        if (order.Status != OrderStatus.Ready)
        {
            throw new AcmeException($"The order {order.Url} is {order.Status}, not ready: {Reason(order)}.");
        }

        // The key is written before the order is finalized: without its key, the certificate would be useless.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        PrivateFile.Write(PathOf("privkey.pem"), key.ExportPkcs8PrivateKeyPem());
        order = await account.FinalizeOrderAsync(order, CertificateRequestBuilder.Build(command.Identifiers, key), cancellationToken);
        Say("finalize", $"the order is {order.Status}");
        order = await account.WaitForOrderAsync(order.Url, status => status == OrderStatus.Valid, cancellationToken: cancellationToken);
        if (order.Status != OrderStatus.Valid || order.CertificateUrl is not { } certificateUrl)
        {
            throw new AcmeException($"The order {order.Url} is {order.Status}: {Reason(order)}.");
        }

        var chains = await account.DownloadAllChainsAsync(certificateUrl, cancellationToken);
        var chain = ChainSelector.Select(chains, command.Chain);
        await File.WriteAllTextAsync(PathOf("fullchain.pem"), chain.ToPem(), cancellationToken);
        await ShowCertificateAsync(account.Client, chain, chains.Count, cancellationToken);
    }

    private async Task ShowCertificateAsync(AcmeClient client, CertificateChain chain, int chains, CancellationToken cancellationToken)
    {
        using var leaf = X509CertificateLoader.LoadCertificate(chain.Leaf.Span);
        Say("issued", $"serial {leaf.SerialNumber} by {leaf.Issuer}, until {leaf.NotAfter.ToUniversalTime():u}");
        Say("chain", $"{chain.Certificates.Count} certificates; the CA offers {chains} chain(s)");
        Say("written", $"{PathOf("privkey.pem")} and {PathOf("fullchain.pem")}");
        if ((await client.GetDirectoryAsync(cancellationToken)).RenewalInfo is not null && RenewalCertificateId.TryCreate(leaf, out var id))
        {
            var renewal = await client.GetRenewalInfoAsync(id, cancellationToken);
            Say("renew", $"between {renewal.WindowStart:u} and {renewal.WindowEnd:u}");
        }
    }

    private static void Require(Authorization authorization)
    {
        if (authorization.Status != AuthorizationStatus.Valid)
        {
            var problem = authorization.Challenges.FirstOrDefault(challenge => challenge.Error is not null)?.Error;
            var reason = problem?.ToString() ?? "the CA gives no reason";
            throw new AcmeException($"{authorization.Identifier} is {authorization.Status}: {reason}") { Problem = problem };
        }
    }

    private static string Reason(Order order) => order.Error?.ToString() ?? "the CA gives no reason";

    private X509Certificate2Collection? ReadTrustedRoots()
    {
        if (command.TrustedRoots is not { } path)
        {
            return null;
        }

        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(path);
        return roots.Count > 0 ? roots : throw new IOException($"{path} contains no PEM certificate ('-----BEGIN CERTIFICATE-----').");
    }

    private AccountKey ReadOrCreateAccountKey()
    {
        var path = PathOf("account-key.pem");
        if (File.Exists(path))
        {
            return AccountKey.FromPem(File.ReadAllText(path));
        }

        var key = AccountKey.Generate();
        PrivateFile.Write(path, key.ExportPkcs8Pem());
        return key;
    }

    private string PathOf(string name) => Path.Combine(command.OutFolder, name);

    private void Say(string step, string text) => output.WriteLine($"{step,-10} {text}");
}
