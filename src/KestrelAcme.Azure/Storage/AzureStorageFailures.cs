using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Azure;
using Azure.Identity;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage;

/// <summary>The service that a request went to: its place for messages, and how access to it is given.</summary>
/// <param name="Place">The host, and the container if there is one.</param>
/// <param name="Role">The role that allows everything the store does.</param>
/// <param name="Secrets">What must never be quoted.</param>
internal sealed record AzureService(string Place, string Role, SentSecrets Secrets);

/// <summary>Explains why a request to Blob Storage or Key Vault failed, and what to do. Stateless.</summary>
internal static class AzureStorageFailures
{
    /// <summary>Whether an exception is the failure of a request, and not a bug or the caller's cancellation.</summary>
    public static bool IsFailure(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        OperationCanceledException => !cancellationToken.IsCancellationRequested,
        StorageUnavailableException or LeaseLostException or ArgumentException => false,
        // Credentials of the app may throw anything.
        _ => true,
    };

    /// <summary>Converts the failure of a request to an exception that names the service, what failed and the fix.</summary>
    /// <param name="exception">An exception for which <see cref="IsFailure"/> is true.</param>
    /// <param name="service">The service.</param>
    /// <param name="doing">What was tried, such as "reading 'a'".</param>
    public static Exception Explain(Exception exception, AzureService service, string doing)
    {
        // After its retries, Azure.Core throws all failures together.
        var last = exception is AggregateException { InnerExceptions: [.., var one] } ? one : exception;
        if (last is StorageUnavailableException)
        {
            return last;
        }

        var start = $"{service.Place}: {doing} failed: ";
        return last switch
        {
            RequestFailedException { Status: > 0 } refused => new StorageUnavailableException(start + Refused(refused, service)),
            AuthenticationFailedException denied => new StorageUnavailableException(
                $"{start}no token: {service.Secrets.Quote(denied.Message)} Run where the credential finds an identity (managed identity, "
                + "workload identity, environment variables), or pass another TokenCredential.",
                service.Secrets.Cause(denied)),
            OperationCanceledException => new StorageUnavailableException(
                start + "no answer in time. Check the network path, firewall rules and private endpoints. KestrelAcme tries again."),
            _ => new StorageUnavailableException(start + Unreachable(last, service), service.Secrets.Cause(last)),
        };
    }

    /// <summary>The code inside the error of Key Vault, such as <c>ObjectIsDeletedButRecoverable</c>; empty if there is none.</summary>
    public static string InnerCode(RequestFailedException exception)
    {
        try
        {
            if (exception.GetRawResponse()?.Content is not { } body)
            {
                return "";
            }

            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out var error)
                && error.ValueKind == JsonValueKind.Object && error.TryGetProperty("innererror", out var inner)
                && inner.ValueKind == JsonValueKind.Object && inner.TryGetProperty("code", out var code)
                && code.ValueKind == JsonValueKind.String ? code.GetString()! : "";
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            // The error page of a proxy, or an answer that was not read.
            return "";
        }
    }

    private static string Unreachable(Exception exception, AzureService service)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }
                or HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError })
            {
                return "the name of the host cannot be resolved. Check its spelling, whether the account or vault exists, "
                    + "and DNS on this machine (with a private endpoint: the private DNS zone).";
            }

            if (cause is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError })
            {
                return $"TLS failed: {service.Secrets.Quote(cause.Message)} Check for a proxy that intercepts TLS, and this machine's "
                    + "clock.";
            }
        }

        return $"it cannot be reached: {service.Secrets.Quote(Innermost(exception).Message)} Check the network path and firewall rules. "
            + "KestrelAcme tries again.";
    }

    private static string Refused(RequestFailedException exception, AzureService service)
    {
        var inner = InnerCode(exception);
        var code = inner.Length > 0 ? inner : exception.ErrorCode ?? "";
        var words = $"HTTP {exception.Status}{(code.Length > 0 ? $" {service.Secrets.Quote(code)}" : "")}. ";
        var wait = exception.GetRawResponse()?.Headers is { } headers && headers.TryGetValue("Retry-After", out var after)
            ? $" The service asks to wait {service.Secrets.Quote(after)} s."
            : "";
        return words + (OfCode(code, service) ?? OfStatus(exception.Status, service, wait));
    }

    private static string? OfCode(string code, AzureService service) => code switch
    {
        "AuthenticationFailed" or "InvalidAuthenticationInfo" or "AuthorizationFailure" =>
            "The key or signature is wrong or has expired, the network rules of the account do not allow this address, "
            + $"or the clock of this machine is wrong. Use a TokenCredential with the role {service.Role}, or a new connection string.",
        "KeyBasedAuthenticationNotPermitted" =>
            $"The account does not allow its key. Pass the container's URL and a TokenCredential with the role {service.Role}.",
        "ContainerNotFound" =>
            "The container does not exist. Create it (az storage container create), or let KestrelAcme do so with CreateContainer = true.",
        "ContainerBeingDeleted" =>
            "The container was just deleted; its name is free again after about half a minute. KestrelAcme tries again.",
        "BlobImmutableDueToPolicy" or "BlobImmutableDueToLegalHold" =>
            "An immutability policy or a legal hold protects the container. Use a container without one.",
        "LeaseIdMissing" =>
            "Somebody has taken an Azure lease on the blob; KestrelAcme uses none. Break it (az storage blob lease break).",
        "SecretDisabled" =>
            "The secret is disabled in the vault. Enable it (az keyvault secret set-attributes --enabled true).",
        "ForbiddenByFirewall" or "ForbiddenByConnection" =>
            "The vault's network rules do not allow this address. Add it under Networking, or use a private endpoint.",
        "ObjectIsBeingDeleted" or "ObjectIsBeingRecovered" =>
            "The vault has not finished deleting or recovering the secret. KestrelAcme tries again.",
        "ObjectIsDeletedButRecoverable" =>
            "A secret of this name is deleted and not yet purged. Recover or purge it (az keyvault secret recover).",
        _ => null,
    };

    private static string OfStatus(int status, AzureService service, string wait) => status switch
    {
        401 => "The token is for another tenant or cloud, or has expired: check the credential's tenant and this machine's clock.",
        403 => $"Give the identity the role {service.Role} on {service.Place}; a new assignment takes up to ten minutes to take effect. "
            + "Check the network rules, too.",
        404 => "The address leads to something else. Check the URL of the account or vault.",
        409 => "Another operation is in the way. KestrelAcme tries again.",
        429 => $"The service limits the number of requests.{wait} Spread the load over several accounts or vaults if this goes on. "
            + "KestrelAcme tries again.",
        >= 500 => $"The service is busy or has failed.{wait} KestrelAcme tries again.",
        _ => "Look for a proxy that changes requests, and for the state of the account or vault in the portal.",
    };

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }
}
