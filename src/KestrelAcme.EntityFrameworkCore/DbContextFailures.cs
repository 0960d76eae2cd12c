using System.Data.Common;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.EntityFrameworkCore;

namespace KestrelAcme.EntityFrameworkCore;

/// <summary>Describes failures of any database: place, reason and fix, and never a password or a value.</summary>
/// <remarks>The exceptions of providers are not passed on: some show the values of a row.</remarks>
internal static class DbContextFailures
{
    private static readonly string[] MissingTableStates = ["42P01", "42S02"];
    private static readonly string[] MissingTableWords = ["no such table", "Invalid object name", "ORA-00942"];
    private static readonly string[] SecretWords = ["password", "pwd", "secret", "token", "accesskey"];

    /// <summary>The reason and the fix if a context has no table for the store.</summary>
    public static string NotInTheModel(string context)
        => $"the model of {context} has no table for the store. Call modelBuilder.AddAcmeHttps() in its OnModelCreating, "
            + "create a migration (dotnet ef migrations add AcmeHttps) and apply it (dotnet ef database update).";

    /// <summary>Returns the database of a context, for operators.</summary>
    public static string PlaceOf(string name, DbContext? context)
    {
        if (context?.Database.IsRelational() != true)
        {
            return $"the database of {name}";
        }

        var connection = context.Database.GetDbConnection();
        var database = connection.Database.Length > 0 && connection.Database != "main" ? $"'{connection.Database}' at " : "";
        return QuotedText.Of($"the database of {name} ({database}'{connection.DataSource}')", QuotedText.MaxReplyLength);
    }

    /// <summary>Describes a failure.</summary>
    /// <param name="name">The name of the context.</param>
    /// <param name="context">The context; <see langword="null"/> if it could not be created.</param>
    /// <param name="what">What failed: "reading 'a/b'".</param>
    /// <param name="exception">The exception.</param>
    public static StorageUnavailableException Describe(string name, DbContext? context, string what, Exception exception)
    {
        if (context is null)
        {
            return new($"{PlaceOf(name, null)}: {what} failed. The context could not be created ({exception.GetType().Name}). "
                + "Check its registration and its options.");
        }

        var reason = exception is MissingModelException ? NotInTheModel(name) : ReasonOf(name, context, exception);
        return new($"{PlaceOf(name, context)}: {what} failed. {char.ToUpperInvariant(reason[0])}{reason[1..]}");
    }

    private static string ReasonOf(string name, DbContext context, Exception exception)
    {
        var cause = exception;
        while (cause is not DbException && cause.InnerException is { } inner)
        {
            cause = inner;
        }

        var words = SecretsOf(context).Quote(cause.Message).TrimEnd('.');
        if (IsMissingTable(context, cause))
        {
            return $"the table is missing: {words}. Create a migration (dotnet ef migrations add AcmeHttps) of {name} "
                + "and apply it (dotnet ef database update).";
        }

        return cause switch
        {
            DbException { SqlState: "42501" } => $"the user lacks a permission: {words}. "
                + $"Grant SELECT, INSERT, UPDATE and DELETE on the table '{TableOf(context)}'.",
            DbException { SqlState: "25006" } => $"the server is a read-only standby: {words}. Connect to the primary.",
            DbException => $"{words}. Look for the cause in the log of the database.",
            TimeoutException => "The database did not respond in time. Check that it is not overloaded.",
            InvalidOperationException when words.Contains("translat", StringComparison.OrdinalIgnoreCase)
                => $"the provider {context.Database.ProviderName} cannot translate a statement of the store to SQL: {words}. "
                    + "Use a storage for this database instead, such as KestrelAcme.PostgreSql.",
            _ => $"{cause.GetType().Name}: {words}. Check the connection string and the database.",
        };
    }

    private static bool IsMissingTable(DbContext context, Exception cause)
        => (cause is DbException { SqlState: { } state } && MissingTableStates.Contains(state))
            || MissingTableWords.Any(words => cause.Message.Contains(words, StringComparison.OrdinalIgnoreCase));

    private static string? TableOf(DbContext context)
        => context.Model.FindEntityType(typeof(AcmeHttpsEntry))?.GetSchemaQualifiedTableName();

    private static SentSecrets SecretsOf(DbContext context)
    {
        try
        {
            var parts = new DbConnectionStringBuilder { ConnectionString = context.Database.GetConnectionString() };
            return new(from string key in parts.Keys
                       let plain = key.Replace(" ", "", StringComparison.Ordinal)
                       where SecretWords.Any(word => plain.Contains(word, StringComparison.OrdinalIgnoreCase))
                       select parts[key].ToString());
        }
        catch (Exception)
        {
            // Not a connection string of the usual form: all of it counts as a secret.
            return new([context.Database.GetConnectionString()]);
        }
    }
}

/// <summary>The model of a context does not have the table of the store.</summary>
internal sealed class MissingModelException : Exception;
