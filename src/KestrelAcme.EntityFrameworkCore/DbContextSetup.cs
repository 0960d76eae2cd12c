using KestrelAcme.Configuration;
using KestrelAcme.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.EntityFrameworkCore;

/// <summary>What the app passed to <c>PersistToDbContext</c>.</summary>
internal interface IDbContextSetup
{
    /// <summary>Returns a line for each problem: key, value, reason and fix.</summary>
    IEnumerable<string> Problems(IServiceProvider services);
}

/// <inheritdoc/>
internal sealed class DbContextSetup<TContext>(DbContextStorageOptions options) : IDbContextSetup
    where TContext : DbContext
{
    private static readonly TimeSpan MinPoll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxPoll = TimeSpan.FromHours(1);
    private static readonly string Method = $"PersistToDbContext<{typeof(TContext).Name}>";

    /// <inheritdoc/>
    public IEnumerable<string> Problems(IServiceProvider services)
    {
        if (options.PollInterval < MinPoll || options.PollInterval > MaxPoll)
        {
            yield return $"{Method}: {nameof(options.PollInterval)} = '{options.PollInterval}': is out of range. "
                + $"Use {MinPoll} to {MaxPoll}.";
        }

        if (ProblemOfContext(services) is { } problem)
        {
            yield return $"{Method}: {problem}";
        }
    }

    /// <summary>Creates the storage. If automatic HTTPS is disabled, the setup was not checked, and nothing is stored.</summary>
    public IAcmeStorage CreateStorage(IServiceProvider services)
    {
        var time = services.GetRequiredService<TimeProvider>();
        return services.GetRequiredService<IOptions<AcmeHttpsOptions>>().Value.Enabled
            ? new DbContextStorage(
                new DbContextDatabase(typeof(TContext).Name, services.GetRequiredService<IServiceScopeFactory>(), CreateAsync),
                options,
                time,
                services.GetRequiredService<ILogger<DbContextStorage>>())
            : new InMemoryStorage(time);
    }

    /// <summary>Creates a context in a scope, from a factory if there is one. The caller disposes it.</summary>
    internal static async ValueTask<DbContext> CreateAsync(IServiceProvider scope, CancellationToken cancellationToken)
        => scope.GetService<IDbContextFactory<TContext>>() is { } factory
            ? await factory.CreateDbContextAsync(cancellationToken)
            : scope.GetRequiredService<TContext>();

    private static string? ProblemOfContext(IServiceProvider services)
    {
        var known = services.GetRequiredService<IServiceProviderIsService>();
        if (!known.IsService(typeof(TContext)) && !known.IsService(typeof(IDbContextFactory<TContext>)))
        {
            return $"the context is not registered. Call builder.Services.AddDbContext<{typeof(TContext).Name}>(...).";
        }

        try
        {
            using var scope = services.CreateScope();
            using var context = scope.ServiceProvider.GetService<IDbContextFactory<TContext>>() is { } factory
                ? factory.CreateDbContext()
                : scope.ServiceProvider.GetRequiredService<TContext>();
            return !context.Database.IsRelational()
                ? $"'{context.Database.ProviderName}' is not a relational database. "
                    + "Use a provider such as SQLite, PostgreSQL or SQL Server."
                : context.Model.FindEntityType(typeof(AcmeHttpsEntry)) is null
                    ? DbContextFailures.NotInTheModel(typeof(TContext).Name)
                    : null;
        }
        catch (Exception exception)
        {
            // The message could contain anything, such as a connection string.
            return $"the context could not be created outside of a request ({exception.GetType().Name}). "
                + "It must not depend on services of a request, and its options must be complete.";
        }
    }
}

/// <summary>Adds the problems of the setup to those of the other options.</summary>
internal sealed class DbContextValidator(IDbContextSetup setup, IServiceProvider services) : IValidateOptions<AcmeHttpsOptions>
{
    public ValidateOptionsResult Validate(string? name, AcmeHttpsOptions options)
        => options.Enabled && setup.Problems(services).ToList() is { Count: > 0 } problems
            ? ValidateOptionsResult.Fail(problems)
            : ValidateOptionsResult.Success;
}
