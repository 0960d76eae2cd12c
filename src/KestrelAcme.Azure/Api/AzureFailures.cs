using Azure;
using Azure.Identity;
using KestrelAcme.Azure.Json;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Azure.Api;

/// <summary>Says what an answer means and what to do. Pure.</summary>
internal static class AzureFailures
{
    private const string Role = "'DNS Zone Contributor'";
    private static readonly string[] HolderCodes = ["ParentResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"];

    /// <summary>Turns an answer that is no success into the error that it stands for.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="endpoint">The root of Resource Manager.</param>
    /// <param name="zone">The zone.</param>
    /// <param name="scope">The resource, the resource group or the subscription that was asked for.</param>
    public static DnsProviderException Refused(AzureResponse answer, Uri endpoint, string zone, string scope)
    {
        var (fault, fix) = answer.Status switch
        {
            401 => (DnsProviderFault.Unauthorized, " The token is of another cloud or tenant, or has expired: look at ResourceManagerEndpoint, AuthorityHost, TenantId and this machine's clock."),
            403 => (DnsProviderFault.Unauthorized, $" Give the identity the role {Role} on {scope}; a new assignment takes up to ten minutes."),
            404 => (DnsProviderFault.ZoneNotFound, $" Compare SubscriptionId, ResourceGroup and ZoneResourceIds with the portal; {scope} was asked for."),
            429 => (DnsProviderFault.RateLimited, " It is tried again by itself, at the earliest when Azure allows it."),
            409 => (DnsProviderFault.Refused, $" Is there a lock on {scope}? Record sets must be deletable."),
            >= 500 => (DnsProviderFault.Unavailable, " It is tried again by itself."),
            _ => (DnsProviderFault.Refused, ""),
        };
        return new DnsProviderException(fault, $"{endpoint.Authority} answered {answer.Status} for zone {zone}: {Words(answer)}.{fix}") { RetryAfter = answer.RetryAfter };
    }

    /// <summary>Whether a 404 is about what holds the resource: its zone, or the group or subscription of that. Anything else that is missing is the resource itself.</summary>
    public static bool IsHolderMissing(AzureResponse answer)
        => ErrorOf(answer)?.Code is { } code && HolderCodes.Contains(code, StringComparer.OrdinalIgnoreCase);

    /// <summary>No token could be had.</summary>
    public static DnsProviderException NoToken(AuthenticationFailedException exception, Uri endpoint, string zone, SentSecrets secrets)
    {
        // Where nothing answered, or nothing was found yet, the surroundings may come up later; a refusal stays one.
        var fault = exception is CredentialUnavailableException || IsNetwork(exception) ? DnsProviderFault.Unavailable : DnsProviderFault.Unauthorized;
        return new DnsProviderException(
            fault,
            $"No token for {endpoint.Authority}, to change zone {zone}, could be had: {secrets.Quote(exception.Message)} " +
            "Give TenantId, ClientId and ClientSecret, or ManagedIdentityClientId, or run where DefaultAzureCredential finds an identity.",
            secrets.Cause(exception));
    }

    private static AzureError? ErrorOf(AzureResponse answer) => answer.Read(AzureJsonContext.Default.AzureErrorResponse)?.Found;

    private static string Words(AzureResponse answer)
    {
        var error = ErrorOf(answer);
        var words = error is null ? answer.Text : answer.Quote($"{error.Code}: {error.Message}");
        return words.Length == 0 ? "no reason given" : words.TrimEnd('.');
    }

    private static bool IsNetwork(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is HttpRequestException or TimeoutException or RequestFailedException { Status: 0 or 429 or >= 500 })
            {
                return true;
            }
        }

        return false;
    }
}
