-- What a shop wants to know of its events: five groups of queries, one statement after the other.
--
--     dsql druid.sql                       all of them as tables
--     dsql -f csv druid.sql > today.csv    the same as data
--
-- They run unchanged on devstack and on a real Druid. Sales are the events of type 'purchase', and an event's
-- revenue is price * quantity. Every answer has one possible order: ties end in a column that tells rows apart.

-- COUNT(DISTINCT ...) counts exactly. (Druid's default is an estimate, about 2 % off.)
SET useApproximateCountDistinct = FALSE;

-- 1. DEVICES ---------------------------------------------------------------------------------------------------

-- 1.1 Total sales by device type.
SELECT device,
       COUNT(*) AS orders,
       SUM(quantity) AS units,
       ROUND(SUM(price * quantity), 2) AS revenue
FROM ecommerce
WHERE event_type = 'purchase'
GROUP BY device
ORDER BY revenue DESC, device;

-- 1.2 Average price per device: of what people look at, and of what they buy.
SELECT device,
       COUNT(*) AS events,
       ROUND(AVG(price), 2) AS avg_price,
       ROUND(AVG(price) FILTER (WHERE event_type = 'purchase'), 2) AS avg_price_bought
FROM ecommerce
GROUP BY device
ORDER BY device;

-- 2. GEOGRAPHY -------------------------------------------------------------------------------------------------

-- 2.1 Unique users per country.
SELECT country,
       COUNT(DISTINCT user_id) AS users
FROM ecommerce
GROUP BY country
ORDER BY users DESC, country;

-- 2.2 Events by location, and how many of them are purchases.
SELECT country,
       city,
       COUNT(*) AS events,
       COUNT(*) FILTER (WHERE event_type = 'purchase') AS purchases
FROM ecommerce
GROUP BY country, city
ORDER BY events DESC, country, city
LIMIT 20;

-- 3. PRODUCTS --------------------------------------------------------------------------------------------------

-- 3.1 Top selling products, by units.
SELECT product_id,
       SUM(quantity) AS units,
       COUNT(*) AS orders
FROM ecommerce
WHERE event_type = 'purchase'
GROUP BY product_id
ORDER BY units DESC, product_id
LIMIT 10;

-- 3.2 Revenue by product: the ten that bring the most.
SELECT product_id,
       ROUND(SUM(price * quantity), 2) AS revenue
FROM ecommerce
WHERE event_type = 'purchase'
GROUP BY product_id
ORDER BY revenue DESC, product_id
LIMIT 10;

-- 4. TIME ------------------------------------------------------------------------------------------------------

-- 4.1 Minute by minute: the last fifteen minutes that have events, newest first.
SELECT TIME_FLOOR(__time, 'PT1M') AS "minute",
       COUNT(*) AS events,
       COUNT(*) FILTER (WHERE event_type = 'purchase') AS purchases
FROM ecommerce
GROUP BY 1
ORDER BY 1 DESC
LIMIT 15;

-- 4.2 Sales trend: each hour's revenue beside the revenue of the hour before it.
SELECT FLOOR(__time TO HOUR) AS "hour",
       COUNT(*) AS orders,
       ROUND(SUM(price * quantity), 2) AS revenue,
       LAG(ROUND(SUM(price * quantity), 2)) OVER (ORDER BY FLOOR(__time TO HOUR)) AS previous
FROM ecommerce
WHERE event_type = 'purchase'
GROUP BY 1
ORDER BY 1;

-- 5. ANOMALIES -------------------------------------------------------------------------------------------------
--
-- An hour (or minute) stands out when it lies further from the mean of those before it than a few of their
-- standard deviations; z says how many. Druid has no STDDEV without an extension, so the variance is written out:
-- mean of squares minus square of mean. The first few have too little before them and are never judged.
-- Druid refuses an ORDER BY above a window and computed columns: the rows come in the window's own order.

-- 5.1 Hours with many more or far fewer events than the 24 hours before.
WITH hourly AS (
  SELECT TIME_FLOOR(__time, 'PT1H') AS h, COUNT(*) AS n
  FROM ecommerce
  GROUP BY 1
), scored AS (
  SELECT h, n,
         COUNT(n) OVER (ORDER BY h ROWS BETWEEN 24 PRECEDING AND 1 PRECEDING) AS seen,
         AVG(n) OVER (ORDER BY h ROWS BETWEEN 24 PRECEDING AND 1 PRECEDING) AS m,
         AVG(n * n) OVER (ORDER BY h ROWS BETWEEN 24 PRECEDING AND 1 PRECEDING) AS q
  FROM hourly
)
SELECT h, n AS events, ROUND(m, 2) AS expected, ROUND((n - m) / SQRT(q - m * m), 2) AS z
FROM scored
WHERE seen >= 6 AND q > m * m AND ABS(n - m) > 2.5 * SQRT(q - m * m);

-- 5.2 Hours whose revenue is far from that of the 24 hours before.
WITH hourly AS (
  SELECT TIME_FLOOR(__time, 'PT1H') AS h, SUM(price * quantity) AS revenue
  FROM ecommerce
  WHERE event_type = 'purchase'
  GROUP BY 1
), scored AS (
  SELECT h, revenue,
         COUNT(revenue) OVER (ORDER BY h ROWS BETWEEN 24 PRECEDING AND 1 PRECEDING) AS seen,
         AVG(revenue) OVER (ORDER BY h ROWS BETWEEN 24 PRECEDING AND 1 PRECEDING) AS m,
         AVG(revenue * revenue) OVER (ORDER BY h ROWS BETWEEN 24 PRECEDING AND 1 PRECEDING) AS q
  FROM hourly
)
SELECT h, ROUND(revenue, 2) AS revenue, ROUND(m, 2) AS expected,
       ROUND((revenue - m) / SQRT(q - m * m), 2) AS z
FROM scored
WHERE seen >= 6 AND q > m * m AND ABS(revenue - m) > 2.5 * SQRT(q - m * m);

-- 5.3 The same within each country: what is quiet for one is a rush in another. An hour without a sale is no row.
WITH hourly AS (
  SELECT country, TIME_FLOOR(__time, 'PT1H') AS h, SUM(price * quantity) AS revenue
  FROM ecommerce
  WHERE event_type = 'purchase'
  GROUP BY 1, 2
), scored AS (
  SELECT country, h, revenue,
         COUNT(revenue) OVER (PARTITION BY country ORDER BY h ROWS BETWEEN 24 PRECEDING AND 1 PRECEDING) AS seen,
         AVG(revenue) OVER (PARTITION BY country ORDER BY h ROWS BETWEEN 24 PRECEDING AND 1 PRECEDING) AS m,
         AVG(revenue * revenue) OVER (PARTITION BY country ORDER BY h ROWS BETWEEN 24 PRECEDING AND 1 PRECEDING) AS q
  FROM hourly
)
SELECT country, h, ROUND(revenue, 2) AS revenue, ROUND(m, 2) AS expected,
       ROUND((revenue - m) / SQRT(q - m * m), 2) AS z
FROM scored
WHERE seen >= 6 AND q > m * m AND ABS(revenue - m) > 3 * SQRT(q - m * m);

-- 5.4 Minutes with many more or far fewer events than the two hours before.
WITH minutely AS (
  SELECT TIME_FLOOR(__time, 'PT1M') AS t, COUNT(*) AS n
  FROM ecommerce
  GROUP BY 1
), scored AS (
  SELECT t, n,
         COUNT(n) OVER (ORDER BY t ROWS BETWEEN 120 PRECEDING AND 1 PRECEDING) AS seen,
         AVG(n) OVER (ORDER BY t ROWS BETWEEN 120 PRECEDING AND 1 PRECEDING) AS m,
         AVG(n * n) OVER (ORDER BY t ROWS BETWEEN 120 PRECEDING AND 1 PRECEDING) AS q
  FROM minutely
)
SELECT t, n AS events, ROUND(m, 2) AS expected, ROUND((n - m) / SQRT(q - m * m), 2) AS z
FROM scored
WHERE seen >= 30 AND q > m * m AND ABS(n - m) > 4 * SQRT(q - m * m);
