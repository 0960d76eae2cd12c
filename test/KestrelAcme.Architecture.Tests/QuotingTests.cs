using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>What comes from outside reaches logs and exceptions by one rule, <c>QuotedText</c>: printable, one line, bounded.</summary>
public sealed class QuotingTests
{
    private const BindingFlags All
        = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly string Hostile = "x\r\nfail: forged\u001b[2J\u202Etxt\u0085\u2028" + new string('y', 100_000);

    private static readonly List<Type> Types =
    [
        .. from file in Directory.EnumerateFiles(AppContext.BaseDirectory, "KestrelAcme*.dll")
           where Path.GetFileNameWithoutExtension(file) is var name
               && !name.EndsWith(".Tests", StringComparison.Ordinal)
               && !name.Contains("Test", StringComparison.Ordinal)
           from type in Assembly.LoadFrom(file).GetTypes()
           select type,
    ];

    [Fact]
    public void LogMessages_Parameters_AreQuoted()
    {
        var wrong = from type in Types
                    from method in type.GetMethods(All)
                    where method.GetCustomAttribute<LoggerMessageAttribute>() is not null
                    from parameter in method.GetParameters()
                    where !IsAllowed(method, parameter.ParameterType)
                    select $"{type.Name}.{method.Name}: {parameter.ParameterType.Name} {parameter.Name}. "
                        + "A text is a Quoted; an exception goes through a method of the class that calls QuotedException.Of";

        Violations.None("No log message takes a text from outside as it is", wrong);
    }

    [Fact]
    public void LogMessages_HostileText_IsOnePrintableLine()
    {
        var log = new Recorder();
        var called = 0;
        foreach (var type in Types.Where(
            type => type.GetMethods(All).Any(method => method.GetCustomAttribute<LoggerMessageAttribute>() is not null)))
        {
            var target = type.IsAbstract ? null : Activator.CreateInstance(type, log);
            foreach (var method in type.GetMethods(All)
                .Where(method => !method.IsPrivate && !method.IsSpecialName && method.ReturnType == typeof(void)))
            {
                method.Invoke(target, [.. method.GetParameters().Select(parameter => Argument(parameter.ParameterType, log))]);
                called++;
            }
        }

        Assert.True(called > 100, $"only {called} log messages were found");
        Assert.Equal(called, log.Lines.Count);
        Violations.None(
            "A log message is printable whatever it quotes",
            log.Lines.Where(line => !IsPrintable(line)).Select(line => line[..Math.Min(line.Length, 200)]));
    }

    [Fact]
    public void Exceptions_HostileText_ArePrintable()
    {
        var made = new List<string>();
        var wrong = new List<string>();
        foreach (var type in Types.Where(type => type.IsSubclassOf(typeof(Exception)) && !type.IsAbstract && !IsExempt(type)))
        {
            foreach (var constructor in type.GetConstructors(All)
                .Where(constructor => !constructor.IsStatic && constructor.GetParameters().Any(p => p.ParameterType == typeof(string))))
            {
                if (TryMake(constructor) is { } exception)
                {
                    made.Add(type.Name);
                    wrong.AddRange(
                        IsPrintable(exception.Message)
                            ? []
                            : [$"{type.Name}: {exception.Message[..Math.Min(exception.Message.Length, 100)]}"]);
                }
            }
        }

        Assert.True(made.Distinct().Count() >= 15, string.Join(", ", made));
        Violations.None("An exception quotes what it is told: base(QuotedText.Of(message))", wrong);
    }

    // The local authority's travel over HTTP as JSON, or are the developer's own words.
    private static bool IsExempt(Type type) => type.Assembly.GetName().Name == "KestrelAcme.LocalAuthority";

    private static bool IsAllowed(MethodInfo method, Type type)
        => type == typeof(Exception) ? method.IsPrivate
        : type == typeof(ILogger)
            || type.Name is "Quoted"
            || type == typeof(DateTimeOffset)
            || type == typeof(DateTime)
            || type == typeof(TimeSpan)
            || type.IsPrimitive || type.IsEnum || (Nullable.GetUnderlyingType(type) is { } inner && IsAllowed(method, inner));

    private static object? Argument(Type type, ILogger log)
        => type == typeof(ILogger) ? log
        : type == typeof(Exception) ? new InvalidOperationException(Hostile, new IOException(Hostile))
        : type.Name == "Quoted" ? type.GetMethod("op_Implicit", [typeof(string)])!.Invoke(null, [Hostile])
        : type == typeof(string) ? Hostile
        : type == typeof(Uri) ? new Uri("https://ca.example/%E2%80%AE%0A")
        : type.IsValueType ? RuntimeHelpers.GetUninitializedObject(Nullable.GetUnderlyingType(type) ?? type)
        : null;

    private static Exception? TryMake(ConstructorInfo constructor)
    {
        try
        {
            return (Exception)constructor.Invoke(
                [.. constructor.GetParameters().Select(parameter => Argument(parameter.ParameterType, null!))]);
        }
        catch (Exception e) when (e is TargetInvocationException or ArgumentException)
        {
            // It wants more than texts, such as a list of names: those are typed, and their own text is escaped.
            return null;
        }
    }

    private static bool IsPrintable(string text) => text.Length < 40_000 && !text.Any(c => char.IsControl(c) || c is '\u202E' or '\u2028');

    private sealed class Recorder : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // Line breaks between an exception and its inner one are the runtime's own, and a list has a line for each element.
            var line = new StringBuilder(formatter(state, exception)).Append(' ')
                .Append(exception?.ToString().Replace(Environment.NewLine, " ", StringComparison.Ordinal));
            Lines.Add(line.ToString());
        }
    }
}
