using Azure.Storage.Blobs;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Azure.Storage;

/// <summary>Checks what the app passes to name a container or a vault. Never quotes a connection string or the query of a URL.</summary>
internal static class AzureStorageArguments
{
    /// <summary>Opens the container of a connection string.</summary>
    /// <exception cref="ArgumentException">The connection string or the name is not valid.</exception>
    public static BlobContainerClient Open(string connectionString, string containerName, BlobClientOptions options)
    {
        ThrowIfNotContainerName(containerName);
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            throw new ArgumentException(
                "The connection string of the storage account is empty. Is the configuration value missing? Copy it from 'Access keys' of "
                + "the account in the portal, or pass the container's URL and a TokenCredential.",
                nameof(connectionString));
        }

        try
        {
            return new BlobContainerClient(connectionString, containerName, options);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or InvalidOperationException)
        {
            // Without the exception: its message could quote a part of the string.
            throw new ArgumentException(
                "The connection string of the storage account is not valid (it is not quoted here, since it holds the account's key). Copy "
                + "it from 'Access keys' of the account in the portal, or pass the container's URL and a TokenCredential.",
                nameof(connectionString));
        }
    }

    /// <summary>The parts of a connection string that must never be quoted: the account's key, or the signature.</summary>
    public static IReadOnlyList<string?> SecretsOf(string connectionString) =>
    [
        connectionString,
        .. from setting in connectionString.Split(';', StringSplitOptions.TrimEntries)
           let at = setting.IndexOf('=', StringComparison.Ordinal)
           where at > 0
           let value = setting[(at + 1)..]
           from secret in setting[..at].ToUpperInvariant() switch
           {
               "ACCOUNTKEY" => [value],
               "SHAREDACCESSSIGNATURE" => value.Split('&').Where(part => part.StartsWith("sig=", StringComparison.Ordinal))
                   .Select(part => Uri.UnescapeDataString(part["sig=".Length..])),
               _ => (IEnumerable<string>)[],
           }
           select secret.TrimEnd('='),
    ];

    public static void ThrowIfNotContainer(Uri url, string name)
    {
        ThrowIfNotPlain(url, name, "https://account.blob.core.windows.net/container");
        if (url.AbsolutePath.Trim('/').Length == 0)
        {
            throw new ArgumentException(
                $"'{QuotedText.Of(url)}' names no container: append one, such as '{QuotedText.Of(new Uri(url, "kestrelacme"))}'.", name);
        }
    }

    public static void ThrowIfNotVault(Uri url, string name)
    {
        ThrowIfNotPlain(url, name, "https://vault-name.vault.azure.net/");
        if (url.AbsolutePath.Trim('/').Length > 0)
        {
            throw new ArgumentException($"'{QuotedText.Of(url)}' has a path: a vault is '{url.GetLeftPart(UriPartial.Authority)}/'.", name);
        }
    }

    private static void ThrowIfNotPlain(Uri url, string name, string example)
    {
        ArgumentNullException.ThrowIfNull(url, name);
        if (!url.IsAbsoluteUri || url.Scheme != Uri.UriSchemeHttps || url.Query.Length > 0 || url.UserInfo.Length > 0)
        {
            var shown = url.IsAbsoluteUri ? url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)
                : url.OriginalString.Split('?')[0];
            throw new ArgumentException(
                $"'{QuotedText.Of(shown, QuotedText.MaxNameLength)}' is not an https URL without user and query, such as '{example}': a "
                + "token is sent to it. For a URL with a signature (SAS), create the client yourself and pass it.",
                name);
        }
    }

    private static void ThrowIfNotContainerName(string name)
    {
        if (name is not { Length: >= 3 and <= 63 } || name[0] == '-' || name[^1] == '-' || name.Contains("--", StringComparison.Ordinal)
            || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            throw new ArgumentException(
                $"'{QuotedText.Of(name, QuotedText.MaxNameLength)}' is not the name of a container: use 3 to 63 lower-case letters, digits "
                + "and single hyphens between them, such as 'kestrelacme'.",
                nameof(name));
        }
    }
}

/// <summary>Reports all problems of an options class when the app starts.</summary>
internal sealed class AzureStorageValidator<TOptions>(Func<TOptions, IEnumerable<string>> problems) : IValidateOptions<TOptions>
    where TOptions : class
{
    public ValidateOptionsResult Validate(string? name, TOptions options)
        => problems(options).ToList() is { Count: > 0 } found ? ValidateOptionsResult.Fail(found) : ValidateOptionsResult.Success;
}
